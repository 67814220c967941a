// The leakage matrix and the results of validation.

function drawLeakage() {
  const keys = new Set(sourceKeys());
  const isShown = (pair, key) => {
    const [source, split] = [pair.slice(0, pair.lastIndexOf("/")), pair.slice(pair.lastIndexOf("/") + 1)];
    if (chosen.split === "test") return keys.has(key);
    return chosen.split ? keys.has(source) && split === chosen.split : keys.has(source) || keys.has(key);
  };
  const leaks = Object.entries(data.leakage).flatMap(([pair, into]) =>
    Object.entries(into).flatMap(([key, texts]) => (isShown(pair, key) ? [[pair, key, texts]] : [])),
  );
  const from = [...new Set(leaks.map(([pair]) => pair))].sort();
  const into = [...new Set(leaks.map(([, key]) => key))].sort();
  if (!from.length) {
    show("leakage", 0, el("p", {}, say("leakage.none")));
    return;
  }
  const kinds = ["equal", "contained", "near"];
  const sum = (texts) => kinds.reduce((n, kind) => n + texts[kind], 0);
  const cell = 26;
  const left = Math.min(room("leakage") * 0.5, 10 + Math.max(...from.map(widthOf)));
  const top = Math.min(190, 14 + Math.max(...into.map(widthOf)));
  const most = Math.max(...leaks.map(([, , texts]) => sum(texts)));
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
      const texts = isShown(pair, key) ? data.leakage[pair][key] : null;
      const n = texts ? sum(texts) : 0;
      const at = { x: left + x * cell, y: top + y * cell, width: cell, height: cell };
      if (!n) {
        shapes.push(svg("rect", { ...at, class: "rule", fill: "none" }));
        return;
      }
      const parts = kinds.filter((kind) => texts[kind]).map((kind) => `${count(texts[kind])} ${say(`leakage.${kind}`)}`);
      const caption = `${pair} → ${key}/test: ${parts.join(say("list.comma"))}`;
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
      { class: "wide", tabindex: 0 },
      drawing(...size, say("leakage.drawing", { n: rows.length }), shapes),
    ),
    behind(
      [...sayAll(["column.from", "column.into"]), ...kinds.map((kind) => say(`leakage.${kind}`))],
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
        svg("title", {}, `${say(success ? "validation.passed" : "validation.failed")}: ${translated(meaning)}`),
      ),
    );
    const caption = failed
      ? say("validation.some_failed", { failed, n: expectations.length })
      : say("validation.all_passed", { n: expectations.length });
    return el(
      "figure",
      {},
      el(
        "figcaption",
        {},
        `${suite} `,
        el("span", { class: failed ? "bad" : "good" }, `${failed ? "✗" : "✓"} ${caption}`),
        el("span", { class: "dim" }, say("validation.rows", { n: rows })),
      ),
      drawing(across * 20, 20 * Math.ceil(expectations.length / across), `${suite}: ${caption}`, shapes),
      behind(
        sayAll(["column.expectation", "column.column", "column.result", "column.unexpected"]),
        expectations.map(([meaning, column, success, unexpected]) => [
          coded(translated(meaning)),
          column || "",
          say(success ? "validation.passed" : "validation.failed"),
          unexpected,
        ]),
        say("validation.table"),
      ),
    );
  });
  show("validation", marks, parts);
}
