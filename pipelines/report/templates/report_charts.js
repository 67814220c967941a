// Histograms and bars: lengths, labels, positive labels.

// Bars of a histogram whose bins end at `edges`, with a line at each context size and the share above it.
function histogram(title, bins, edges, contexts, width, unit) {
  const first = bins.findIndex((n) => n > 0);
  const last = bins.findLastIndex((n) => n > 0);
  const total = sum(bins);
  const above = (size) => sum(bins.slice(edges.indexOf(size) + 1));
  const from = Math.max(0, Math.min(first, edges.indexOf(contexts[0])));
  const to = Math.max(last, edges.indexOf(contexts[0]) + 1);
  const [left, top, height] = [8, 34, 150];
  const step = (width - left - 8) / (to - from + 1);
  const most = Math.max(1, ...bins);
  const shapes = [];
  for (let bin = from; bin <= to; bin += 1) {
    const low = bin ? edges[bin - 1] : 0;
    const range = bin < edges.length ? `${count(low + 1)} to ${count(edges[bin])}` : `above ${count(low)}`;
    const h = (height * bins[bin]) / most;
    const x = left + (bin - from) * step;
    shapes.push(
      svg(
        "rect",
        {
          x: x + 0.5,
          y: top + height - h,
          width: Math.max(step - 1, 0.5),
          height: h,
          fill: "var(--c0)",
          "data-mark": "bin",
        },
        svg("title", {}, `${range} ${unit}: ${count(bins[bin])} (${share(bins[bin], total)})`),
      ),
    );
    const power = bin < edges.length && Number.isInteger(Math.log2(edges[bin]));
    if (power && step * 2 > 15 && (Math.log2(edges[bin]) % 2 === 1 || step > 24))
      shapes.push(
        svg(
          "text",
          { x: x + step, y: top + height + 14, "text-anchor": "middle", class: "small dim" },
          briefBinary(edges[bin]),
        ),
      );
  }
  contexts.forEach((size) => {
    const at = edges.indexOf(size);
    if (at < from || at > to) return;
    const x = left + (at - from + 1) * step;
    shapes.push(
      svg("line", { x1: x, x2: x, y1: top - 4, y2: top + height, stroke: "var(--warn)", "stroke-dasharray": "3 3" }),
    );
    shapes.push(
      svg(
        "text",
        {
          x,
          y: top - 20 + (contexts.indexOf(size) % 2) * 13,
          "text-anchor": x > width - 40 ? "end" : "middle",
          class: "small",
        },
        share(above(size), total),
      ),
    );
  });
  shapes.push(svg("line", { x1: left, x2: width - 8, y1: top + height, y2: top + height, class: "rule" }));
  const rows = contexts.map((size) => [`above ${count(size)}`, count(above(size)), share(above(size), total)]);
  const caption = `${title}: ${rows.map(([what, , part]) => `${part} ${what}`).join(", ")} ${unit}`;
  return {
    rows,
    figure: el(
      "figure",
      {},
      el("figcaption", {}, `${title} `, el("span", { class: "dim" }, `${count(total)}`)),
      drawing(width, top + height + 20, caption, shapes),
    ),
  };
}

function briefBinary(n) {
  return n < 1024 ? String(n) : `${n / 1024}k`;
}

function corpusTotal({ in_full: inFull, total }) {
  if (inFull) return `; ${count(total.tokens)} tokens in the corpus`;
  return `, on ${count(total.counted)} instructions; about ${count(total.tokens)} ± ${count(total.margin)} tokens in the corpus`;
}

function drawLengths() {
  const measure = byId("measure").value;
  const groups = new Map();
  const put = (name, bins) => groups.set(name, addLists([groups.get(name) || [], bins].filter((list) => list.length)));
  const named = (key) => language(data.sources[key].lang);
  const counted = measure === "tokens" ? data.tokens : null;
  if (measure === "texts") for (const key of sourceKeys()) data.texts[key] && put(named(key), data.texts[key]);
  else {
    for (const [key, task] of filteredPairs()) {
      if (!counted) put(named(key), data.instructions[key][task].lengths);
      else for (const n of Object.values((counted.by_source[key] || {})[task] || {})) put(named(key), n.histogram);
    }
  }
  const edges = counted ? counted.edges : data.edges;
  const contexts = counted ? counted.contexts : data.contexts;
  const unit = counted ? "tokens" : "characters";
  const width = room("lengths") < 820 ? room("lengths") : Math.floor(room("lengths") / 2 - 16);
  const drawn = [...groups]
    .sort()
    .map(([name, bins]) => [name, histogram(`${name}, ${unit}`, bins, edges, contexts, width, unit)]);
  const about = counted
    ? `Counted with ${counted.tokenizer}, prompt and answer together${corpusTotal(counted)}. `
    : measure === "texts"
      ? ""
      : "Prompt and answer together; test instructions have no answer. ";
  show(
    "lengths",
    sum(drawn.map(([, { figure }]) => figure.querySelectorAll("[data-mark]").length)),
    el(
      "p",
      { class: "dim" },
      `${about}The number above a dashed line is the share that is longer than ${contexts.map(count).join(", ")} ${unit}.`,
    ),
    drawn.length
      ? el(
          "div",
          { class: "pair" },
          drawn.map(([, { figure }]) => figure),
        )
      : el("p", {}, "No data for this source and task."),
    behind(
      ["", "length", "count", "share"],
      drawn.flatMap(([name, { rows }]) => rows.map(([what, n, part]) => [name, what, n, part])),
    ),
  );
}

// One horizontal bar per row: [name, title, [[part, value], ...]].
function bars(title, rows, hues, width) {
  const most = Math.max(1, ...rows.map(([, , parts]) => sum(parts.map(([, n]) => n))));
  const left = Math.min(width * 0.42, 12 + Math.max(40, ...rows.map(([name]) => widthOf(name))));
  const long = width - left - 62;
  const shapes = rows.flatMap(([name, caption, parts], at) => {
    const y = 4 + at * 20;
    let x = left;
    const pieces = parts.map(([part, n]) => {
      const w = (long * n) / most;
      const piece = svg(
        "rect",
        { x, y, width: w, height: 14, fill: hues[part] },
        svg("title", {}, `${caption}, ${part}: ${count(n)}`),
      );
      x += w;
      return piece;
    });
    return [
      svg("text", { x: left - 6, y: y + 11, "text-anchor": "end" }, svg("title", {}, caption), cut(name, left - 12)),
      svg("g", { "data-mark": "bar" }, pieces),
      svg("text", { x: x + 4, y: y + 11, class: "small dim" }, brief(sum(parts.map(([, n]) => n)))),
    ];
  });
  return drawing(width, 8 + rows.length * 20, title, shapes);
}

function legend(hues) {
  return el(
    "p",
    { class: "dim" },
    Object.entries(hues).map(([name, color]) => [
      el("span", { style: `color:${color}`, "aria-hidden": "true" }, "■ "),
      `${name}  `,
    ]),
  );
}

function drawLabels() {
  const repeats = ([task, key]) => !chosen.task && (task === "EET" || task === "EEA") && data.sources[key].asked.EE; // the same types
  const pairs = new Set(filteredPairs().map(([key, task]) => `${task} ${key}`));
  const shown = data.labels.filter((set) => pairs.has(`${set[0]} ${set[1]}`) && !repeats(set));
  const rows = shown.flatMap(([task, key, , labels]) =>
    labels.map(([label, ...counts]) => [label, task, key, ...counts]),
  );
  rows.sort((a, b) => sum(b.slice(3)) - sum(a.slice(3)) || (a[0] < b[0] ? -1 : 1));
  const most = 40;
  const top = rows
    .slice(0, most)
    .map(([label, task, key, ...counts]) => [
      chosen.source ? label : `${label} · ${key}`,
      `${label} (${key}, ${task})`,
      SPLITS.map((split, n) => [split, counts[n]]),
    ]);
  const size = sum(shown.map(([, , n]) => n));
  const never = rows.filter((row) => sum(row.slice(3)) === 0).length;
  const note = `${count(size)} labels in ${count(shown.length)} label sets. ${rows.length > most ? `The ${most} most frequent are shown. ` : ""}${never ? `${count(never)} of the labels in the table never occur.` : ""}`;
  show(
    "labels",
    top.length,
    el("p", { class: "dim" }, note),
    legend(HUES),
    top.length ? bars("Annotations by label", top, HUES, Math.min(room("labels"), 900)) : null,
    behind(["label", "task", "source", ...SPLITS], rows, "All labels as a table"),
  );
}

// Labels that test rows ask for, by source and task, and what was held out of training.
function drawFamiliarity() {
  const hues = { seen: "var(--c0)", near: "var(--c2)", unseen: "var(--c1)" };
  const pairs = filteredPairs().filter(([key, task]) => (data.familiarity.by_source[key] || {})[task]);
  const counts = pairs.map(([key, task]) => {
    const n = data.familiarity.by_source[key][task];
    const annotations = [n.seen_annotations, n.near_annotations];
    return [key, task, [n.seen, n.near, n.labels - n.seen - n.near], [...annotations, n.annotations - sum(annotations)]];
  });
  const most = 40;
  const unfamiliar = counts.filter(([, , labels]) => labels[0] < sum(labels));
  unfamiliar.sort((a, b) => b[2][2] - a[2][2]);
  const shown = unfamiliar
    .slice(0, most)
    .map(([key, task, labels]) => [
      `${key} ${task}`,
      `${key} ${task}`,
      Object.keys(hues).map((kind, n) => [kind, labels[n]]),
    ]);
  const totals = addLists(counts.map(([, , labels]) => labels));
  const kinds = Object.keys(hues).map((kind, n) => `${count(totals[n] || 0)} ${kind}`);
  const { labels: names, themes, texts } = data.held_out;
  const heldOut = sourceKeys().flatMap((key) => [
    ...Object.entries(names[key] || {}).map(([layer, labels]) => [key, layer, labels.join(", ")]),
    ...(themes[key] ? [[key, "theme", `${themes[key]}: ${count(sum(Object.values(texts[key] || {})))} texts`]] : []),
  ]);
  const rest = unfamiliar.length < counts.length ? " In the other sources and tasks, all labels are seen." : "";
  const note = unfamiliar.length > most ? ` The ${most} with most unseen labels are shown.` : rest;
  show(
    "familiarity",
    counts.length,
    el("p", { class: "dim" }, `Labels by source and task: ${kinds.join(", ")}.${note}`),
    legend(hues),
    shown.length ? bars("Test labels by familiarity", shown, hues, Math.min(room("familiarity"), 900)) : null,
    behind(
      ["source", "task", ...Object.keys(hues), ...Object.keys(hues).map((kind) => `annotations, ${kind}`)],
      counts.map(([key, task, labels, annotations]) => [key, task, ...labels, ...annotations]),
    ),
    heldOut.length ? behind(["source", "layer", "held out of training"], heldOut, "What is held out of training") : null,
  );
}

function drawPositives() {
  const parts = { "train, validation": ["train", "validation"], test: ["test"] };
  const figures = [];
  const rows = [];
  const wide = room("positives") < 820 ? room("positives") : Math.floor(room("positives") / 2 - 16);
  for (const [name, splits] of Object.entries(parts)) {
    const counts = addLists(
      filteredPairs()
        .flatMap(([key, task]) => splits.map((split) => data.instructions[key][task].positives[split] || []))
        .filter((list) => list.length),
    );
    const total = sum(counts);
    if (!total) continue;
    const last = counts.findLastIndex((n) => n > 0);
    const drawn = counts
      .slice(0, last + 1)
      .map((n, at) => [
        at === counts.length - 1 ? `${at} or more` : String(at),
        `${at} positive labels`,
        [["instructions", n]],
      ]);
    figures.push(
      el(
        "figure",
        {},
        el("figcaption", {}, `${name} `, el("span", { class: "dim" }, count(total))),
        bars(`Instructions by positive labels, ${name}`, drawn, { instructions: "var(--c0)" }, wide),
      ),
    );
    counts.forEach((n, at) => n && rows.push([name, at, n, share(n, total)]));
  }
  show(
    "positives",
    rows.length,
    el("div", { class: "pair" }, figures),
    behind(["splits", "positive labels", "instructions", "share"], rows),
  );
}
