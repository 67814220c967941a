// The leakage matrix and the results of validation.

function drawLeakage() {
  const from = Object.keys(data.leakage).sort();
  const into = [...new Set(from.flatMap((pair) => Object.keys(data.leakage[pair])))].sort();
  if (!from.length) {
    show("leakage", 0, el("p", {}, "No train or validation text is equal or similar to a test text or contains one."));
    return;
  }
  const kinds = ["equal", "contained", "near"];
  const sum = (texts) => kinds.reduce((n, kind) => n + texts[kind], 0);
  const dropped = data.build.settings.clean?.partial_leaks === "drop";
  document.getElementById("leakage-about").append(
    ` Contained and near texts were ${dropped ? "dropped too" : "kept (clean.partial_leaks: drop drops them)"}.`,
  );
  const cell = 26;
  const left = Math.min(room("leakage") * 0.5, 10 + Math.max(...from.map(widthOf)));
  const top = Math.min(190, 14 + Math.max(...into.map(widthOf)));
  const most = Math.max(...from.flatMap((pair) => Object.values(data.leakage[pair]).map(sum)));
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
      const texts = data.leakage[pair][key];
      const n = texts ? sum(texts) : 0;
      const at = { x: left + x * cell, y: top + y * cell, width: cell, height: cell };
      if (!n) {
        shapes.push(svg("rect", { ...at, class: "rule", fill: "none" }));
        return;
      }
      const parts = kinds.filter((kind) => texts[kind]).map((kind) => `${count(texts[kind])} ${kind}`);
      const caption = `${pair} → ${key}/test: ${parts.join(", ")}`;
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
      rows.push([pair, `${key}/test`, ...kinds.map((kind) => texts[kind])]);
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
      ["from", "into", ...kinds],
      rows.sort((a, b) => b[2] + b[3] + b[4] - (a[2] + a[3] + a[4])),
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
