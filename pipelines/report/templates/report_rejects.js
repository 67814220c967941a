// Lost records, with reason and place in the files.

function drawRejects() {
  const totals = new Map();
  for (const key of sourceKeys()) {
    for (const n of Object.values(data.sources[key].splits)) {
      for (const [stage, counts] of [
        ["ingest", n.rejected],
        ["clean", n.dropped],
      ]) {
        for (const [reason, m] of Object.entries(counts))
          totals.set(`${reason} ${stage}`, (totals.get(`${reason} ${stage}`) || 0) + m);
      }
    }
  }
  const sorted = [...totals].sort((a, b) => b[1] - a[1]).map(([name, n]) => [...name.split(" "), n]);
  const hues = { ingest: "var(--c1)", clean: "var(--c0)" };
  const reasons = [...new Set(sorted.map(([reason]) => reason))].sort();
  options(byId("reason"), [["", "any"], ...reasons.map((reason) => [reason, words(reason)])], byId("reason").value);
  const wanted = byId("reason").value;
  const keys = new Set(sourceKeys());
  const rows = data.rejects
    .filter(([, key, , reason]) => keys.has(key) && (!wanted || reason === wanted))
    .map(([stage, key, split, reason, place, id, detail]) => [key, words(reason), place, id, detail, split, stage]);
  const all = sum(sorted.filter(([reason]) => !wanted || reason === wanted).map(([, , n]) => n));
  show(
    "rejects",
    rows.length,
    sorted.length
      ? [
          legend(hues),
          bars(
            "Rejects by reason",
            sorted.map(([reason, stage, n]) => [words(reason), `${reason}, ${stage}`, [[stage, n]]]),
            hues,
            Math.min(room("rejects"), 760),
          ),
        ]
      : null,
    el("p", { role: "status" }, `${count(rows.length)} of ${count(all)} shown.`),
    rows.length ? table(["source", "reason", "place", "id", "detail", "split", "stage"], rows, 30) : null,
  );
}
