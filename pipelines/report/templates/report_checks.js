// The leakage matrix and the results of validation.

function drawLeakage() {
  const from = Object.keys(data.leakage).sort();
  const into = [...new Set(from.flatMap((pair) => Object.keys(data.leakage[pair])))].sort();
  if (!from.length) {
    show("leakage", 0, el("p", {}, "No train or validation text occurred in a test split."));
    return;
  }
  const cell = 26;
  const left = Math.min(room("leakage") * 0.5, 10 + Math.max(...from.map(widthOf)));
  const top = Math.min(190, 14 + Math.max(...into.map(widthOf)));
  const most = Math.max(...from.flatMap((pair) => Object.values(data.leakage[pair])));
  const shapes = [];
  const rows = [];
  into.forEach((key, x) =>
    shapes.push(
      svg(
        "text",
        { transform: `translate(${left + x * cell + cell / 2 + 4} ${top - 6}) rotate(-90)` },
        svg("title", {}, `${key}/test`),
        cut(key, top - 12),
      ),
    ),
  );
  from.forEach((pair, y) => {
    shapes.push(
      svg(
        "text",
        { x: left - 6, y: top + y * cell + 17, "text-anchor": "end" },
        svg("title", {}, pair),
        cut(pair, left - 10),
      ),
    );
    into.forEach((key, x) => {
      const n = data.leakage[pair][key] || 0;
      const at = { x: left + x * cell, y: top + y * cell, width: cell, height: cell };
      if (!n) {
        shapes.push(svg("rect", { ...at, class: "rule", fill: "none" }));
        return;
      }
      const caption = `${pair} → ${key}/test: ${count(n)} texts`;
      shapes.push(
        svg(
          "rect",
          {
            ...at,
            fill: "var(--c1)",
            "fill-opacity": 0.2 + (0.6 * Math.log(n + 1)) / Math.log(most + 1),
            class: "rule",
            "data-mark": "leak",
          },
          svg("title", {}, caption),
        ),
      );
      shapes.push(
        svg(
          "text",
          { x: at.x + cell / 2, y: at.y + 17, "text-anchor": "middle", class: "small", "pointer-events": "none" },
          brief(n),
        ),
      );
      rows.push([pair, `${key}/test`, n]);
    });
  });
  const size = [left + into.length * cell + 2, top + from.length * cell + 2];
  show(
    "leakage",
    rows.length,
    el(
      "div",
      { class: "wide" },
      drawing(...size, `Leakage: ${count(rows.length)} pairs of splits`, shapes),
    ),
    behind(
      ["dropped from", "occurs in", "texts"],
      rows.sort((a, b) => b[2] - a[2]),
    ),
  );
}

function drawValidation() {
  const across = Math.max(1, Math.floor(Math.min(room("validation"), 700) / 20));
  let marks = 0;
  const parts = data.validation.map(([suite, rows, expectations]) => {
    const failed = expectations.filter(([, , success]) => !success).length;
    marks += expectations.length;
    const shapes = expectations.map(([meaning, column, success], n) =>
      svg(
        "rect",
        {
          x: (n % across) * 20,
          y: Math.floor(n / across) * 20,
          width: 16,
          height: 16,
          rx: 3,
          fill: success ? "var(--good)" : "var(--bad)",
          "data-mark": "expectation",
        },
        svg("title", {}, `${success ? "passed" : "failed"}: ${meaning}`),
      ),
    );
    const caption = failed
      ? `${failed} of ${expectations.length} failed`
      : `all ${expectations.length} expectations passed`;
    return el(
      "figure",
      {},
      el(
        "figcaption",
        {},
        `${suite} `,
        el("span", { class: failed ? "bad" : "good" }, `${failed ? "✗" : "✓"} ${caption}`),
        el("span", { class: "dim" }, ` over ${count(rows)} rows`),
      ),
      drawing(across * 20, 20 * Math.ceil(expectations.length / across), `${suite}: ${caption}`, shapes),
      behind(
        ["expectation", "column", "result", "unexpected rows"],
        expectations.map(([meaning, column, success, unexpected]) => [
          meaning,
          column || "",
          success ? "passed" : "failed",
          unexpected,
        ]),
        "The expectations as a table",
      ),
    );
  });
  show("validation", marks, parts);
}
