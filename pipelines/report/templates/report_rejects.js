// Lost records with their reason, place and text, beside the text that they repeat, contradict or leak into.

const rejects = data.rejects.map(([stage, key, split, reason, place, id, detail, record, example, twin]) => {
  const text = example && unpacked(key, example);
  const other = twin && { ...unpacked(exampleKey(twin[0]), twin), text: twin[1] === null ? text.text : twin[1] };
  return { stage, key, split, reason, place, id, detail, record, text, twin: other };
});

let rejectPage = 0;

// The key of a source in the id of an example, which is one of those on the page.
function exampleKey(id) {
  const keys = Object.keys(data.sources).filter((key) => SPLITS.some((split) => id.startsWith(`${key}/${split}/`)));
  return keys.sort((a, b) => b.length - a.length)[0];
}

// [[reason, stage, number], ...] of the filtered sources and split, the most frequent first.
function rejectTotals() {
  const totals = new Map();
  for (const key of sourceKeys()) {
    for (const n of ofSplits(data.sources[key].splits)) {
      for (const [stage, counts] of [
        ["ingest", n.rejected],
        ["clean", n.dropped],
      ]) {
        addTo(totals, Object.fromEntries(Object.entries(counts).map(([reason, m]) => [`${reason} ${stage}`, m])));
      }
    }
  }
  return [...totals].sort((a, b) => b[1] - a[1]).map(([name, n]) => [...name.split(" "), n]);
}

function matchingRejects() {
  const [reason, query] = [byId("reason").value, byId("reject-query").value.trim().toLowerCase()];
  const keys = new Set(sourceKeys());
  return rejects.filter((one) => {
    if (!keys.has(one.key) || (reason && one.reason !== reason) || (chosen.split && one.split !== chosen.split)) return false;
    if (!one.lower) {
      one.lower = [one.id, one.place, one.detail, one.record, one.text?.text, one.twin?.id].join("\n").toLowerCase();
    }
    return one.lower.includes(query);
  });
}

// The annotations of an example as strings, to compare them with those of another.
function annotationSet(example) {
  const { entities, relations, events } = goldOf(example, "", null);
  return new Set([...entities, ...relations, ...events].map((item) => JSON.stringify(item)));
}

function differentEntity(label, mention) {
  return el("li", { class: "differs" }, el("span", { class: "relation" }, `${label}: `), el("bdi", {}, mention));
}

// One of two examples: its text, with marks where it differs from the other, or else with its gold.
function side(example, other, title, parts) {
  const gold = goldOf(example, "", null);
  const theirs = annotationSet(other);
  const differs = (item) => !parts && !theirs.has(JSON.stringify(item));
  const lost = gold.entities.filter(differs);
  return el(
    "div",
    {},
    el("h3", {}, title),
    el("p", { class: "place" }, example.id),
    el("p", { class: "text", lang: example.lang, dir: "auto" }, parts || marked(example.text, tagged(gold))),
    parts ? null : facts(example.text, gold, differs),
    lost.length ? el("ul", {}, lost.map(([label, mention]) => differentEntity(label, surface(example.text, mention)))) : null,
  );
}

function besideTwin({ text, twin }) {
  const parts = text.text === twin.text ? null : difference(text.text, twin.text);
  const isSame = !parts && [...annotationSet(text)].sort().join() === [...annotationSet(twin)].sort().join();
  if (isSame) return [el("p", { class: "dim" }, say("rejects.equal", { id: twin.id })), withGold(text)];
  return [
    el("p", { class: "dim" }, say(parts ? "rejects.texts_differ" : "rejects.annotations_differ")),
    el(
      "div",
      { class: "pair" },
      side(text, twin, say("rejects.dropped"), parts && oneSide(parts, "first")),
      side(twin, text, say("rejects.twin"), parts && oneSide(parts, "second")),
    ),
  ];
}

function withGold(example) {
  const gold = goldOf(example, "", null);
  return [
    el("p", { class: "text", lang: example.lang, dir: "auto" }, marked(example.text, tagged(gold))),
    facts(example.text, gold),
  ];
}

// A detail may begin with numbers (# in the words), or end with names of the data behind a colon.
function translatedDetail(detail) {
  const numbers = detail.match(/\d+/g) || [];
  const counted = detail.replace(/\d+/g, "#");
  if (translated(counted) !== counted) return translated(counted).replace(/#/g, () => numbers.shift());
  const [sentence, names] = [detail.split(": ", 1)[0], detail.split(": ").slice(1).join(": ")];
  if (!names || translated(sentence) === sentence) return detail;
  return say("list.title", { title: translated(sentence), value: names });
}

function rejectCard(one) {
  const { key, split, reason, stage, place, id, detail, record, text, twin } = one;
  const isPair = text && twin;
  return el(
    "article",
    { "data-id": id || place },
    el("header", {}, [id || place, key, say(`split.${split}`), say(`stage.${stage}`)].map((part) => el("span", {}, part))),
    el("p", {}, el("strong", {}, say("rejects.named", { reason: say(`reason.${reason}`) })), say("list.between"), say(`why.${reason}`)),
    isPair ? besideTwin(one) : reason === "unannotated" ? null : el("p", { class: "detail" }, translatedDetail(detail)),
    text && !twin ? withGold(text) : null,
    record ? el("pre", { tabindex: 0, dir: "auto" }, record) : null,
  );
}

function drawRejects() {
  const totals = rejectTotals();
  const hues = { ingest: "var(--c1)", clean: "var(--c0)" };
  const reasons = [...new Set(totals.map(([reason]) => reason))].sort();
  options(byId("reason"), [["", say("filter.any")], ...reasons.map((reason) => [reason, say(`reason.${reason}`)])], byId("reason").value);
  const wanted = byId("reason").value;
  const matches = matchingRejects();
  const pages = Math.max(1, Math.ceil(matches.length / PAGE));
  rejectPage = Math.min(rejectPage, pages - 1);
  if (!totals.length) {
    byId("reject-matches").textContent = say("rejects.nothing");
    show("rejects", 0);
    return;
  }
  const all = sum(totals.filter(([reason]) => !wanted || reason === wanted).map(([, , n]) => n));
  byId("reject-matches").textContent = sentences([say("rejects.matches", { n: matches.length, all }), wanted ? say(`why.${wanted}`) : ""]);
  show(
    "rejects",
    matches.length,
    legend(hues, "stage"),
    bars(
      say("rejects.bars"),
      totals.map(([reason, stage, n]) => [say(`reason.${reason}`), say(`why.${reason}`), [[stage, n]]]),
      hues,
      Math.min(room("rejects"), 760),
      "stage",
    ),
    behind(
      sayAll(["column.reason", "column.stage", "column.number"]),
      totals.map(([reason, stage, n]) => [say(`reason.${reason}`), say(`stage.${stage}`), n]),
    ),
    matches.slice(rejectPage * PAGE, (rejectPage + 1) * PAGE).map(rejectCard),
    turning(rejectPage, pages, (number) => {
      rejectPage = number;
      drawRejects();
      byId("reject-matches").scrollIntoView();
    }),
  );
}

// Shows the rejects with a reason.
function showRejects(reason) {
  byId("reject-query").value = "";
  byId("reason").value = reason;
  rejectPage = 0;
  drawRejects();
  byId("rejects").scrollIntoView();
}
