// The losses of each stage.

// Records from the files to the splits: a band whose width is their number, and a line for each loss.
function drawFlow() {
  const read = { examples: 0, windows: 0 };
  const [bad, dropped, kept, crossing, asked] = [new Map(), new Map(), new Map(), new Map(), new Map()];
  const rows = [];
  for (const key of sourceKeys()) {
    for (const [split, n] of Object.entries(data.sources[key].splits)) {
      if (chosen.split && split !== chosen.split) continue;
      const examples = n.read - (n.bad.one_pair_united || 0); // rows of one sentence are united after reading
      read.examples += examples;
      read.windows += n.windows;
      addTo(bad, n.bad);
      addTo(dropped, n.dropped);
      addTo(crossing, n.crossing);
      addTo(kept, { [split]: n.kept.examples });
      const lost = Object.entries({ ...n.bad, ...n.dropped }).map(([reason, m]) => `${say(`reason.${reason}`)} ${count(m)}`);
      rows.push([
        key,
        say(`split.${split}`),
        examples + sum(Object.values(n.bad)),
        examples,
        n.windows,
        n.kept.examples,
        lost.join(", "),
      ]);
    }
  }
  if (!rows.length) {
    showNothing("flow");
    return;
  }
  for (const [key, task] of filteredPairs())
    for (const counts of ofSplits(data.sources[key].asked[task])) addTo(asked, counts);
  const byFrequency = (counts) => [...counts].sort((a, b) => b[1] - a[1]);
  const all = sum([...kept.values()]);
  const stages = [
    [say("flow.records"), read.examples + sum([...bad.values()]), byFrequency(bad), "ingest"],
    [say("flow.examples"), read.examples, [], ""],
    [say("flow.windows"), read.windows, byFrequency(dropped), "clean"],
    [say("flow.kept"), all, [], ""],
  ];
  const width = Math.min(room("flow"), 760);
  const most = Math.max(1, ...stages.map(([, n]) => n));
  const band = Math.min(300, width * 0.36);
  const shapes = [];
  let y = 22;
  stages.forEach(([name, n, losses, stage], at) => {
    const w = Math.max(1, (band * n) / most);
    const last = at + 1 === stages.length;
    shapes.push(svg("text", { x: 0, y: y - 6, class: "strong" }, `${name} ${count(n)}`));
    if (last) {
      shapes.push(...splitBar(kept, all, w, y, band));
      return;
    }
    shapes.push(
      svg(
        "rect",
        { x: 0, y, width: w, height: 18, fill: "var(--c0)", "data-mark": "stage" },
        svg("title", {}, `${name}: ${count(n)}`),
      ),
    );
    const below = 18 + Math.max(36, 20 * losses.length + 30);
    const next = Math.max(1, (band * stages[at + 1][1]) / most);
    let left = w;
    if (losses.length) shapes.push(svg("text", { x: band + 24, y: y + 6, class: "small dim" }, say("flow.lost_by", { stage })));
    losses.forEach(([reason, m], k) => {
      const thick = Math.max(1.5, (band * m) / most);
      const to = y + 24 + 20 * k;
      left -= (band * m) / most;
      const middle = Math.min(w - 0.75, Math.max(0, left + thick / 2));
      shapes.push(
        svg(
          "path",
          {
            d: `M${middle} ${y + 18}C${middle} ${to + 12} ${band} ${to} ${band + 20} ${to}`,
            fill: "none",
            stroke: "var(--c1)",
            "stroke-width": Math.min(thick, 16),
            "stroke-opacity": 0.75,
            "data-mark": "loss",
          },
          svg("title", {}, `${say(`reason.${reason}`)}: ${count(m)}`),
        ),
      );
      const text = `${say(`reason.${reason}`)} ${count(m)} (${share(m, n)})`;
      const isListed = reason !== "one_pair_united";
      shapes.push(
        svg(
          "g",
          isListed ? button(say("flow.see", { reason: text }), () => showRejects(reason)) : {},
          svg("title", {}, say(`why.${reason}`)),
          svg("text", { x: band + 24, y: to + 4, class: isListed ? "link" : null }, cut(text, width - band - 28)),
        ),
      );
    });
    shapes.push(
      svg("path", {
        d: `M0 ${y + 18}L${Math.max(left, 1)} ${y + 18}L${next} ${y + below}L0 ${y + below}Z`,
        fill: "var(--c0)",
        "fill-opacity": 0.25,
      }),
    );
    y += below;
  });
  y += 46 + 20 * Math.max(1, kept.size);
  const notes = [];
  if (crossing.size)
    notes.push(
      say("flow.crossing", { lost: [...crossing].map(([what, n]) => `${count(n)} ${say(`layer.${what}`)}`).join(say("list.comma")) }),
    );
  if (asked.get("instructions")) {
    const [n, negative, hard, leftOut] = ["instructions", "all_negative", "with_hard_negatives", "cut"].map((name) => asked.get(name) || 0);
    notes.push(sentences([say("flow.asked", { n, negative, hard }), besideNeighbour(asked), say("flow.cut", { n: leftOut })]));
  }
  show(
    "flow",
    4 + bad.size + dropped.size,
    drawing(width, y, say("flow.drawing"), shapes, true),
    notes.map((note) => el("p", {}, note)),
    behind(
      sayAll([
        "column.source",
        "column.split",
        "column.records",
        "column.examples",
        "column.windows",
        "column.kept",
        "column.lost",
      ]),
      rows,
    ),
  );
}

function besideNeighbour(asked) {
  const positives = asked.get("positives_with_neighbour");
  if (!positives) return "";
  const beside = asked.get("positives_beside_neighbour") || 0;
  return say("flow.beside", { share: share(beside, positives), positives });
}

function splitBar(kept, all, width, y, band) {
  let x = 0;
  return SPLITS.filter((split) => kept.get(split)).flatMap((split, n) => {
    const w = (width * kept.get(split)) / all;
    const text = `${say(`split.${split}`)} ${count(kept.get(split))} (${share(kept.get(split), all)})`;
    const piece = svg(
      "rect",
      { x, y, width: w, height: 18, fill: HUES[split], "data-mark": "split" },
      svg("title", {}, text),
    );
    x += w;
    return [
      piece,
      svg("rect", { x: 0, y: y + 28 + 20 * n, width: 10, height: 10, fill: HUES[split] }),
      svg("text", { x: 16, y: y + 37 + 20 * n }, text),
    ];
  });
}
