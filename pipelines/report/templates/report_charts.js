// Histograms and bars: lengths, labels, positive labels.

// Bars of a histogram whose bins end at `edges`, with a line at each context size and the share above it.
function histogram(title, bins, edges, contexts, width, unit) {
  const first = bins.findIndex((n) => n > 0);
  const last = bins.findLastIndex((n) => n > 0);
  const whole = sum(bins);
  const above = (size) => sum(bins.slice(edges.indexOf(size) + 1));
  const from = Math.max(0, Math.min(first, edges.indexOf(contexts[0])));
  const to = Math.max(last, edges.indexOf(contexts[0]) + 1);
  const [left, top, height] = [8, 34, 150];
  const step = (width - left - 8) / (to - from + 1);
  const most = Math.max(1, ...bins);
  const shapes = [];
  for (let bin = from; bin <= to; bin += 1) {
    const low = bin ? edges[bin - 1] : 0;
    const range = bin < edges.length ? say("lengths.from_to", { low: low + 1, high: edges[bin] }) : say("lengths.above", { n: low });
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
        svg("title", {}, say("lengths.bin", { range, unit, n: bins[bin], share: share(bins[bin], whole) })),
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
        share(above(size), whole),
      ),
    );
  });
  shapes.push(svg("line", { x1: left, x2: width - 8, y1: top + height, y2: top + height, class: "rule" }));
  const rows = contexts.map((size) => [say("lengths.above", { n: size }), count(above(size)), share(above(size), whole)]);
  const caption = say("lengths.caption", { title, shares: rows.map(([what, , part]) => `${part} ${what}`).join(", "), unit });
  return {
    rows,
    figure: el(
      "figure",
      {},
      el("figcaption", {}, `${title} `, el("span", { class: "dim" }, count(whole))),
      drawing(width, top + height + 20, caption, shapes),
    ),
  };
}

function briefBinary(n) {
  return n < 1024 ? String(n) : `${n / 1024}k`;
}

function corpusTotal({ in_full: inFull, total }) {
  if (inFull) return say("lengths.counted", { tokens: total.tokens });
  return say("lengths.estimated", { counted: total.counted, tokens: total.tokens, margin: total.margin });
}

function drawLengths() {
  const measure = byId("measure").value;
  const groups = new Map();
  const put = (name, bins) => groups.set(name, addLists([groups.get(name) || [], bins].filter((list) => list.length)));
  const named = (key) => language(data.sources[key].lang);
  const counted = measure === "tokens" ? data.tokens : null;
  if (measure === "texts") {
    for (const key of sourceKeys()) for (const bins of ofSplits(data.texts[key])) put(named(key), bins);
  } else {
    for (const [key, task] of filteredPairs()) {
      const parts = counted
        ? ofSplits((counted.by_source[key] || {})[task]).map((n) => n.histogram)
        : ofSplits(data.instructions[key][task].lengths);
      for (const bins of parts) put(named(key), bins);
    }
  }
  const edges = counted ? counted.edges : data.edges;
  const contexts = counted ? counted.contexts : data.contexts;
  const unit = say(counted ? "unit.tokens" : "unit.characters");
  if (!groups.size) {
    showNothing("lengths");
    return;
  }
  const width = room("lengths") < 820 ? room("lengths") : Math.floor(room("lengths") / 2 - 16);
  const drawn = [...groups]
    .sort()
    .map(([name, bins]) => [name, histogram(say("lengths.title_of", { lang: name, unit }), bins, edges, contexts, width, unit)]);
  const about = counted
    ? say("lengths.tokenizer", { tokenizer: counted.tokenizer, total: corpusTotal(counted) })
    : measure === "texts"
      ? ""
      : say("lengths.together");
  show(
    "lengths",
    sum(drawn.map(([, { figure }]) => figure.querySelectorAll("[data-mark]").length)),
    el(
      "p",
      { class: "dim" },
      sentences([about, say("lengths.lines", { sizes: contexts.map(count).join(", "), unit })]),
    ),
    el(
      "div",
      { class: "pair" },
      drawn.map(([, { figure }]) => figure),
    ),
    behind(
      sayAll(["column.language", "column.length", "column.number", "column.share"]),
      drawn.flatMap(([name, { rows }]) => rows.map(([what, n, part]) => [name, what, n, part])),
    ),
  );
}

// One horizontal bar per row: [name, title, [[part, value], ...]]. `words`: as for `legend`.
function bars(title, rows, hues, width, words) {
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
        svg("title", {}, say("bars.part", { caption, part: say(`${words}.${part}`), n })),
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

// `words`: the part of the keys of the words before the names.
function legend(hues, words) {
  return el(
    "p",
    { class: "dim" },
    Object.entries(hues).map(([name, color]) => [
      el("span", { style: `color:${color}`, "aria-hidden": "true" }, "■ "),
      `${say(`${words}.${name}`)}  `,
    ]),
  );
}

function drawLabels() {
  const shown = labelSetsShown();
  if (!shown.length) {
    showNothing("labels");
    return;
  }
  const at = splitsShown().map((split) => SPLITS.indexOf(split));
  const rows = shown.flatMap(([task, key, , labels]) =>
    labels.map(([label, ...counts]) => [label, task, key, ...at.map((n) => counts[n])]),
  );
  rows.sort((a, b) => sum(b.slice(3)) - sum(a.slice(3)) || (a[0] < b[0] ? -1 : 1));
  const most = 40;
  const top = rows
    .slice(0, most)
    .map(([label, task, key, ...counts]) => [
      chosen.source ? label : `${label} · ${key}`,
      `${label} (${key}, ${task})`,
      splitsShown().map((split, n) => [split, counts[n]]),
    ]);
  const size = sum(shown.map(([, , n]) => n));
  const never = rows.filter((row) => sum(row.slice(3)) === 0).length;
  const notes = [say("labels.size", { n: size, sets: shown.length })];
  if (rows.length > most) notes.push(say("labels.most_frequent", { n: most }));
  if (never) notes.push(say("labels.never", { n: never }));
  show(
    "labels",
    top.length,
    el("p", { class: "dim" }, sentences(notes)),
    legend(Object.fromEntries(splitsShown().map((split) => [split, HUES[split]])), "split"),
    top.length ? bars(say("labels.bars"), top, HUES, Math.min(room("labels"), 900), "split") : null,
    behind(
      [...sayAll(["column.label", "column.task", "column.source"]), ...splitsShown().map((split) => say(`split.${split}`))],
      rows,
      say("labels.table"),
    ),
  );
}

// The label sets that pass the filter. Without a task in it, those of EET and EEA repeat those of EE.
function labelSetsShown() {
  const repeats = ([task, key]) => !chosen.task && (task === "EET" || task === "EEA") && data.sources[key].asked.EE;
  const pairs = new Set(filteredPairs().map(([key, task]) => `${task} ${key}`));
  return data.labels.filter((set) => pairs.has(`${set[0]} ${set[1]}`) && !repeats(set));
}

// Labels that test rows ask for, by source and task, and what was held out of training.
function drawFamiliarity() {
  if (chosen.split && chosen.split !== "test") {
    show("familiarity", 0, el("p", {}, say("familiarity.only_test")));
    return;
  }
  const hues = { seen: "var(--c0)", near: "var(--c2)", unseen: "var(--c1)" };
  const { labels: names, themes, texts } = data.held_out;
  const heldOut = sourceKeys().flatMap((key) => [
    ...Object.entries(names[key] || {}).map(([layer, labels]) => [key, say(`layer.${layer}`), labels.join(say("list.comma"))]),
    ...(Object.hasOwn(themes, key)
      ? [[key, say("layer.theme"), say("held_out.theme", { theme: themes[key], n: sum(Object.values(texts[key] || {})) })]]
      : []),
  ]);
  const pairs = filteredPairs().filter(([key, task]) => (data.familiarity.by_source[key] || {})[task]);
  const counts = pairs.map(([key, task]) => {
    const n = data.familiarity.by_source[key][task];
    const annotations = [n.seen_annotations, n.near_annotations];
    return [key, task, [n.seen, n.near, n.labels - n.seen - n.near], [...annotations, n.annotations - sum(annotations)]];
  });
  if (!counts.length && !heldOut.length) {
    showNothing("familiarity");
    return;
  }
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
  const kindNames = Object.keys(hues).map((kind) => say(`familiarity.${kind}`));
  const kinds = kindNames.map((kind, n) => `${count(totals[n] || 0)} ${kind}`);
  const rest = unfamiliar.length < counts.length ? say("familiarity.rest") : "";
  const note = unfamiliar.length > most ? say("familiarity.most", { n: most }) : rest;
  show(
    "familiarity",
    counts.length,
    el("p", { class: "dim" }, `${say("familiarity.totals", { kinds: kinds.join(say("list.comma")) })} ${note}`),
    legend(hues, "familiarity"),
    shown.length ? bars(say("familiarity.bars"), shown, hues, Math.min(room("familiarity"), 900), "familiarity") : null,
    behind(
      [
        ...sayAll(["column.source", "column.task"]),
        ...kindNames,
        ...kindNames.map((kind) => say("familiarity.annotations", { kind })),
      ],
      counts.map(([key, task, labels, annotations]) => [key, task, ...labels, ...annotations]),
    ),
    heldOut.length ? behind(sayAll(["column.source", "column.layer", "column.held_out"]), heldOut, say("held_out.title")) : null,
  );
}

function drawPositives() {
  const parts = [["train", "validation"], ["test"]].map((splits) => splits.filter((split) => splitsShown().includes(split)));
  const figures = [];
  const rows = [];
  const wide = room("positives") < 820 ? room("positives") : Math.floor(room("positives") / 2 - 16);
  for (const splits of parts) {
    const name = splits.map((split) => say(`split.${split}`)).join(say("list.comma"));
    const counts = addLists(
      filteredPairs()
        .flatMap(([key, task]) => splits.map((split) => data.instructions[key][task].positives[split] || []))
        .filter((list) => list.length),
    );
    const whole = sum(counts);
    if (!whole) continue;
    const last = counts.findLastIndex((n) => n > 0);
    const drawn = counts
      .slice(0, last + 1)
      .map((n, at) => [
        at === counts.length - 1 ? say("positives.or_more", { n: at }) : String(at),
        say("positives.number", { n: at }),
        [["instructions", n]],
      ]);
    figures.push(
      el(
        "figure",
        {},
        el("figcaption", {}, `${name} `, el("span", { class: "dim" }, count(whole))),
        bars(say("positives.bars", { splits: name }), drawn, { instructions: "var(--c0)" }, wide, "area"),
      ),
    );
    counts.forEach((n, at) => n && rows.push([name, at, n, share(n, whole)]));
  }
  if (!rows.length) {
    showNothing("positives");
    return;
  }
  show(
    "positives",
    rows.length,
    el("div", { class: "pair" }, figures),
    behind(sayAll(["column.splits", "column.positives", "column.instructions", "column.share"]), rows),
  );
}
