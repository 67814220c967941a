// The losses of each stage.

// Records from the files to the splits: a band whose width is their number, and a line for each loss.
function drawFlow() {
  const total = { examples: 0, windows: 0 };
  const [bad, dropped, kept, crossing, asked] = [new Map(), new Map(), new Map(), new Map(), new Map()];
  const rows = [];
  for (const key of sourceKeys()) {
    for (const [split, n] of Object.entries(data.sources[key].splits)) {
      const examples = n.read - (n.bad.one_pair_united || 0); // rows of one sentence are united after reading
      total.examples += examples;
      total.windows += n.windows;
      addTo(bad, n.bad);
      addTo(dropped, n.dropped);
      addTo(crossing, n.crossing);
      addTo(kept, { [split]: n.kept.examples });
      const lost = Object.entries({ ...n.bad, ...n.dropped }).map(([reason, m]) => `${words(reason)} ${count(m)}`);
      rows.push([
        key,
        split,
        examples + sum(Object.values(n.bad)),
        examples,
        n.windows,
        n.kept.examples,
        lost.join(", "),
      ]);
    }
  }
  for (const [key, task] of filteredPairs())
    for (const counts of Object.values(data.sources[key].asked[task])) addTo(asked, counts);
  const byFrequency = (counts) => [...counts].sort((a, b) => b[1] - a[1]);
  const all = sum([...kept.values()]);
  const stages = [
    ["Records in the files", total.examples + sum([...bad.values()]), byFrequency(bad), "ingest"],
    ["Examples", total.examples, [], ""],
    ["Windows", total.windows, byFrequency(dropped), "clean"],
    ["Kept", all, [], ""],
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
    if (losses.length) shapes.push(svg("text", { x: band + 24, y: y + 6, class: "small dim" }, `lost by ${stage}`));
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
          svg("title", {}, `${reason}: ${count(m)}`),
        ),
      );
      shapes.push(
        svg(
          "text",
          { x: band + 24, y: to + 4 },
          cut(`${words(reason)} ${count(m)} (${share(m, n)})`, width - band - 28),
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
      `Annotations lost because no window contains them completely: ${[...crossing].map(([what, n]) => `${count(n)} ${what}`).join(", ")}.`,
    );
  if (asked.get("instructions")) {
    notes.push(
      `${count(asked.get("instructions"))} instructions: ${count(asked.get("all_negative") || 0)} only ask for labels that do not occur in the text, ${count(asked.get("with_hard_negatives") || 0)} contain a hard negative${besideNeighbour(asked)}. ${count(asked.get("cut") || 0)} instructions without a positive label were left out.`,
    );
  }
  show(
    "flow",
    4 + bad.size + dropped.size,
    drawing(width, y, "Records by stage, with what each stage lost", shapes),
    notes.map((note) => el("p", {}, note)),
    behind(["source", "split", "records", "examples", "windows", "kept", "lost"], rows),
  );
}

function besideNeighbour(asked) {
  const positives = asked.get("positives_with_neighbour");
  if (!positives) return "";
  const beside = asked.get("positives_beside_neighbour") || 0;
  return `, and ${share(beside, positives)} of the ${count(positives)} labels of texts that have a neighbour are asked beside one`;
}

function splitBar(kept, all, width, y, band) {
  let x = 0;
  return SPLITS.filter((split) => kept.get(split)).flatMap((split, n) => {
    const w = (width * kept.get(split)) / all;
    const text = `${split} ${count(kept.get(split))} (${share(kept.get(split), all)})`;
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
