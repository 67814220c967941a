// The hard negatives of a label set: labels on a circle, similar ones adjacent, and the neighbours of the chosen label.

function drawNeighbours() {
  const [, key, size, names, edges] = data.neighbours[Number(byId("set").value)];
  const focus = byId("focus").value === "" ? -1 : Number(byId("focus").value);
  const wide = room("neighbours");
  const margin = 16;
  const label = Math.min(wide > 700 ? 200 : Math.max(60, wide / 2 - 82 - margin), 6 + Math.max(30, ...names.map(widthOf)));
  const radius = Math.max(82, Math.min(380, (names.length * 12) / (2 * Math.PI)), Math.min(220, wide / 2 - label - margin));
  const side = Math.floor(2 * (radius + label + margin));
  const at = (n, r) => {
    const angle = (2 * Math.PI * n) / names.length - Math.PI / 2;
    return [side / 2 + r * Math.cos(angle), side / 2 + r * Math.sin(angle)];
  };
  const ends = names.map((name, n) => at(n, radius + 7 + widthOf(cut(name, label)))[1]);
  const [top, bottom] = [Math.min(...ends) - margin, Math.max(...ends) + margin];
  const lines = edges.flatMap((near, from) => near.map(([to, score]) => ({ from, to, score })));
  const near = new Set(lines.filter(({ from }) => from === focus).map(({ to }) => to));
  const reverse = new Set(lines.filter(({ to }) => to === focus).map(({ from }) => from));
  const ordered = lines
    .map((line) => ({ ...line, rank: line.from === focus ? 2 : line.to === focus ? 1 : 0 }))
    .sort((a, b) => a.rank - b.rank);
  const shapes = ordered.map(({ from, to, score, rank }) => {
    const [[x1, y1], [x2, y2]] = [at(from, radius), at(to, radius)];
    const pull = 0.35;
    const [cx, cy] = [side / 2 + ((x1 + x2) / 2 - side / 2) * pull, side / 2 + ((y1 + y2) / 2 - side / 2) * pull];
    const plain = focus < 0 ? 0.18 + 0.5 * Math.max(0, score === null ? 1 : score) : 0.07;
    return svg("path", {
      d: `M${x1.toFixed(1)} ${y1.toFixed(1)}Q${cx.toFixed(1)} ${cy.toFixed(1)} ${x2.toFixed(1)} ${y2.toFixed(1)}`,
      fill: "none",
      stroke: rank === 2 ? "var(--c1)" : rank === 1 ? "var(--c0)" : "var(--dim)",
      "stroke-width": rank ? 2 : 1,
      "stroke-opacity": rank ? 0.9 : plain,
      "data-mark": "edge",
    });
  });
  names.forEach((name, n) => {
    const [x, y] = at(n, radius + 7);
    const turn = (360 * n) / names.length - 90;
    const flipped = turn > 90 && turn < 270;
    const lit = focus < 0 || n === focus || near.has(n) || reverse.has(n);
    const choose = () => {
      byId("focus").value = n === focus ? "" : String(n);
      drawNeighbours();
      const again = byId("neighbours").querySelectorAll("svg [role=button]")[n];
      if (again) again.focus({ preventScroll: true });
    };
    const caption = say("neighbours.number", { name, n: edges[n].length });
    const transform = `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${(flipped ? turn + 180 : turn).toFixed(1)})`;
    const text = cut(name, label);
    const across = widthOf(text);
    shapes.push(
      svg(
        "g",
        { ...button(caption, choose), "aria-pressed": String(n === focus), transform, "data-mark": "label" },
        svg("title", {}, caption),
        svg("rect", { x: flipped ? -across : 0, y: -8, width: across, height: 16, fill: "transparent" }),
      ),
      svg(
        "g",
        { transform, "text-anchor": flipped ? "end" : "start", "fill-opacity": lit ? 1 : 0.35 },
        writing(0, 4, text, `small${n === focus ? " strong" : ""}`),
      ),
    );
  });
  const missing = size - names.length;
  const notes = [say("neighbours.size", { n: size, pairs: lines.length })];
  if (missing > 0) notes.push(say("neighbours.most", { n: names.length }));
  notes.push(say(focus < 0 ? "neighbours.choose" : "neighbours.colours"));
  const chosenLabel = focus < 0 ? null : nearest(names[focus], edges[focus], names);
  const rows = names.map((name, n) => [
    name,
    edges[n].map(([to, score]) => `${names[to]} (${scoreOf(score)})`).join(say("list.comma")) || say("neighbours.none"),
  ]);
  show(
    "neighbours",
    lines.length,
    el("p", { class: "dim" }, sentences(notes)),
    chosenLabel,
    el(
      "div",
      { class: "wide", tabindex: 0, role: "group", "aria-label": say("neighbours.graph", { key }) },
      drawing(side, bottom - top, say("neighbours.drawing", { n: names.length, key }), svg("g", { transform: `translate(0 ${-top})` }, shapes), true),
    ),
    behind(sayAll(["column.label", "column.hard_negatives"]), rows),
  );
}

function scoreOf(score) {
  return score === null ? say("neighbours.given") : score.toFixed(2);
}

function nearest(name, near, names) {
  if (!near.length) return el("p", {}, say("neighbours.has_none", { name }));
  return el(
    "div",
    {},
    el("h3", {}, say("neighbours.of", { name: cut(name, 500) })),
    el(
      "ul",
      { class: "near" },
      near.map(([to, score]) =>
        el(
          "li",
          {},
          el("span", {}, names[to]),
          el(
            "span",
            { class: "bar", "aria-hidden": "true" },
            el("span", { style: `width:${score === null ? 100 : 50 * (score + 1)}%` }),
          ),
          el("span", { class: "n" }, scoreOf(score)),
        ),
      ),
    ),
    el("button", { type: "button", click: () => showLabel(name) }, say("neighbours.see", { name: cut(name, 300) })),
  );
}

// Lists the label sets that pass the filter, and keeps the chosen one if it is among them.
function fillSets() {
  const before = byId("set").value;
  const all = data.neighbours.map(([task, key, size], n) => ({ n, task, key, size }));
  const ofSource = all.filter(({ key }) => !chosen.source || key === chosen.source);
  const ofTask = ofSource.filter(({ task }) => !chosen.task || task === chosen.task);
  const filtered = ofTask.length || !chosen.source ? ofTask : ofSource; // EET and EEA use the label sets of EE
  const shown = filtered.length ? filtered : all;
  options(
    byId("set"),
    shown.map(({ n, task, key, size }) => [String(n), `${key} · ${task} · ${size}`]),
    before,
  );
  if (byId("set").value !== before || before === "") {
    const medium = shown.find(({ size }) => size >= 12 && size <= 60);
    if (medium) byId("set").value = String(medium.n);
  }
  fillFocus();
}

function fillFocus() {
  const [, , , names] = data.neighbours[Number(byId("set").value)];
  const sorted = names.map((name, n) => [String(n), name]).sort(([, a], [, b]) => (a < b ? -1 : 1));
  options(byId("focus"), [["", say("neighbours.all")], ...sorted]);
}
