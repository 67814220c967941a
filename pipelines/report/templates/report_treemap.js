// The treemap of domains, sources and tasks.

// Squarified treemap (Bruls, Huizing and van Wijk 2000): divides a box among items by their `value`, largest first.
function squarify(items, box) {
  const whole = sum(items.map((item) => item.value));
  const scale = whole ? (box.w * box.h) / whole : 0;
  const rest = items.filter((item) => item.value > 0).sort((a, b) => b.value - a.value);
  const placed = [];
  let { x, y, w, h } = box;
  while (rest.length) {
    const side = Math.max(Math.min(w, h), 1e-6);
    let row = [];
    let worst = Infinity;
    while (rest.length) {
      const tried = [...row, rest[0]];
      const area = scale * sum(tried.map((item) => item.value));
      const areas = tried.map((item) => item.value * scale);
      const ratio = Math.max(
        (side * side * Math.max(...areas)) / (area * area),
        (area * area) / (side * side * Math.min(...areas)),
      );
      if (ratio > worst) break;
      worst = ratio;
      row = tried;
      rest.shift();
    }
    const thick = (scale * sum(row.map((item) => item.value))) / side;
    let at = 0;
    for (const item of row) {
      const long = (item.value * scale) / thick;
      placed.push({ ...item, box: w >= h ? { x, y: y + at, w: thick, h: long } : { x: x + at, y, w: long, h: thick } });
      at += long;
    }
    if (w >= h) [x, w] = [x + thick, w - thick];
    else [y, h] = [y + thick, h - thick];
  }
  return placed;
}

const HUES = { train: "var(--c0)", validation: "var(--c1)", test: "var(--c2)" };

const AREAS = {
  instructions: (key, task) => total(data.sources[key].asked[task], "instructions"),
  texts: (key, task) => total(data.sources[key].asked[task], "examples"),
  equal: () => 1,
};

// Domain → hue, assigned by size: domains of similar size are adjacent in the map and get different hues.
function domainHues() {
  const size = (keys) =>
    sum(keys.flatMap((key) => Object.keys(data.sources[key].asked).map((task) => AREAS.instructions(key, task))));
  const sorted = domains()
    .map(([domain, keys]) => [domain, size(keys)])
    .sort((a, b) => b[1] - a[1]);
  return new Map(sorted.map(([domain], n) => [domain, `var(--c${n % 12})`]));
}

function drawContents(pick) {
  const measure = AREAS[byId("area").value];
  const pairs = filteredPairs();
  if (chosen.source && pairs.length === 1) {
    drawBox(...pairs[0], pick);
    return;
  }
  const rows = [];
  const hues = domainHues();
  const tree = domains().map(([domain, keys]) => {
    const sources = keys.map((key) => {
      const leaves = pairs
        .filter(([name]) => name === key)
        .map(([, task]) => ({ key, task, domain, value: measure(key, task) }));
      return { key, leaves, value: sum(leaves.map((leaf) => leaf.value)) };
    });
    for (const source of sources)
      for (const leaf of source.leaves)
        rows.push([
          domain,
          leaf.key,
          data.sources[leaf.key].title,
          leaf.task,
          AREAS.instructions(leaf.key, leaf.task),
          AREAS.texts(leaf.key, leaf.task),
        ]);
    return { domain, hue: hues.get(domain), sources, value: sum(sources.map((source) => source.value)) };
  });
  const width = room("contents");
  const height = width < 600 ? Math.min(900, Math.round(width * 1.7)) : Math.round(width * 0.52);
  const shapes = [];
  for (const domain of squarify(tree, { x: 0, y: 0, w: width, h: height })) {
    const { x, y, w, h } = domain.box;
    const head = h > 40 && w > 44 ? 17 : 0;
    shapes.push(svg("rect", { x, y, width: w, height: h, fill: domain.hue, "fill-opacity": 0.16 }));
    if (head) shapes.push(svg("text", { x: x + 4, y: y + 12.5, class: "small strong" }, cut(domain.domain, w - 6)));
    for (const source of squarify(domain.sources, {
      x: x + 1,
      y: y + head + 1,
      w: Math.max(w - 2, 0.1),
      h: Math.max(h - head - 2, 0.1),
    })) {
      squarify(source.leaves, source.box).forEach((leaf, n) => shapes.push(box(leaf, domain, n === 0, pick)));
      shapes.push(
        svg("rect", {
          x: source.box.x,
          y: source.box.y,
          width: source.box.w,
          height: source.box.h,
          fill: "none",
          stroke: "var(--bg)",
          "stroke-width": 2,
          "pointer-events": "none",
        }),
      );
    }
  }
  if (!rows.length) {
    showNothing("contents");
    return;
  }
  const what = byId("area").selectedOptions[0].textContent;
  const title = say("contents.treemap", { n: sum(tree.map((domain) => domain.value)), what });
  show(
    "contents",
    rows.length,
    drawing(width, height, title, shapes, true),
    behind(
      sayAll(["column.domain", "column.source", "column.dataset", "column.task", "column.instructions", "column.texts"]),
      rows.sort((a, b) => b[4] - a[4]),
    ),
  );
}

function box(leaf, domain, first, pick) {
  const { x, y, w, h } = leaf.box;
  const n = AREAS.instructions(leaf.key, leaf.task);
  const texts = AREAS.texts(leaf.key, leaf.task);
  const caption = say("contents.box", { key: leaf.key, task: leaf.task, instructions: n, texts, domain: leaf.domain });
  const lines = [];
  const name = first || w > 90 ? cut(leaf.key, w - 8) : "";
  const source = name.length > 2 || name === leaf.key ? name : "";
  if (h > 17 && w > 26) lines.push(source || cut(leaf.task, w - 8));
  if (h > 32 && w > 26 && source) lines.push(cut(w > 90 ? `${leaf.task} · ${brief(n)}` : leaf.task, w - 8));
  const shape = svg(
    "g",
    button(caption, () => pick(leaf.key, leaf.task)),
    svg("title", {}, caption),
    svg("rect", {
      x,
      y,
      width: w,
      height: h,
      fill: domain.hue,
      "fill-opacity": 0.3,
      stroke: "var(--bg)",
      "stroke-width": 1,
      "data-mark": "source",
    }),
  );
  return [shape, lines.map((line, at) => writing(x + 4, y + 14 + 14 * at, line, at ? "small dim" : ""))];
}

// The one source and task that is left: its labels by their number of annotations, and the lengths of its instructions.
function drawBox(key, task, pick) {
  const at = splitsShown().map((split) => SPLITS.indexOf(split));
  const [, , size, labels] = data.labels.find((set) => set[0] === task && set[1] === key) || [task, key, 0, []];
  const items = labels.map(([label, ...counts]) => ({ label, value: sum(at.map((n) => counts[n])) }));
  const shown = items.filter(({ value }) => value);
  const hue = domainHues().get(data.sources[key].domain);
  const isWide = room("contents") >= 820;
  const width = isWide ? Math.floor(room("contents") * 0.58) : room("contents");
  const height = isWide ? Math.round(width * 0.62) : Math.min(700, Math.round(width * 1.2));
  const shapes = squarify(shown, { x: 0, y: 0, w: width, h: height }).map((item) => labelBox(item, hue, shown));
  const { figure } = histogram(
    say("contents.lengths"),
    addLists(ofSplits(data.instructions[key][task].lengths)),
    data.edges,
    data.contexts,
    isWide ? room("contents") - width - 32 : width,
    say("unit.characters"),
  );
  const parts = { key, task, instructions: AREAS.instructions(key, task), texts: AREAS.texts(key, task) };
  show(
    "contents",
    shown.length,
    el(
      "p",
      {},
      say("contents.box_title", { ...parts, domain: data.sources[key].domain, title: data.sources[key].title }),
      " ",
      el("button", { type: "button", class: "back", click: () => pick(key, task) }, say("contents.back")),
    ),
    el(
      "div",
      { class: "box" },
      el(
        "figure",
        {},
        el("figcaption", {}, say("contents.labels", { n: size, shown: shown.length })),
        shown.length
          ? drawing(width, height, say("contents.label_map", { key, task }), shapes, true)
          : el("p", {}, say("filter.nothing")),
      ),
      figure,
    ),
    behind(
      sayAll(["column.label", "column.annotations"]),
      items.map(({ label, value }) => [label, value]),
    ),
  );
}

function labelBox({ label, value, box: { x, y, w, h } }, hue, all) {
  const caption = say("contents.label_box", { label, n: value, share: share(value, sum(all.map((item) => item.value))) });
  const name = h > 16 && w > 26 ? cut(label, w - 8) : "";
  const shape = svg(
    "g",
    button(caption, () => showLabel(label)),
    svg("title", {}, caption),
    svg("rect", { x, y, width: w, height: h, fill: hue, "fill-opacity": 0.3, stroke: "var(--bg)", "data-mark": "label" }),
  );
  return [
    shape,
    writing(x + 4, y + 14, name),
    h > 34 && w > 30 ? writing(x + 4, y + 28, brief(value), "small dim") : null,
  ];
}
