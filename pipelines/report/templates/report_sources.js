// The sources of the user's own data: what was recognised, counts, labels, first texts, losses and problems.

const OPEN_SOURCES = 3;

function plural(n, what) {
  return `${count(n)} ${n === 1 ? what : `${what}s`}`;
}

// Text of the data that may be written from right to left within a line from left to right.
function isolated(text) {
  return el("bdi", {}, text);
}

// "text" or 'text', but not the apostrophe of a word.
const QUOTED = /("[^"]*"|(?<![\p{L}\p{N}])'(?:[^'\\]|\\.)*'(?![\p{L}\p{N}]))/u;

// A sentence with strings of the data in quotes.
function withQuotes(sentence) {
  return sentence.split(QUOTED).map((part, n) => (n % 2 ? isolated(part) : part));
}

function separated(nodes) {
  return nodes.flatMap((node, n) => (n ? [", ", node] : [node]));
}

function fileNames([number, names]) {
  const more = number > names.length ? ` and ${count(number - names.length)} more` : "";
  return [...separated(names.map(isolated)), more];
}

function aboutSource(source) {
  const rows = [
    ["Format", source.format],
    ["Files", fileNames(source.files)],
    ["Language", source.language],
    ["Licence", source.licence],
  ];
  return el(
    "dl",
    {},
    rows.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
  );
}

function splitCounts({ layers, splits, by_hash: byHash, nested, surveyed }) {
  const all = ["entities", "relations", "events"];
  const shown = all.filter((layer) => layers.includes(layer));
  const limited = splits.some(([, , , , , beyond]) => beyond);
  const header = ["split", "texts", "annotated", ...shown, "records left out", ...(limited ? ["beyond the limit"] : [])];
  const rows = splits.map(([split, texts, annotated, numbers, leftOut, beyond]) => [
    split,
    texts,
    annotated,
    ...shown.map((layer) => numbers[all.indexOf(layer)]),
    leftOut,
    ...(limited ? [beyond] : []),
  ]);
  const total = sum(splits.map(([, texts]) => texts));
  const notes = [
    byHash ? "No file name says its split, so the texts are divided by a hash." : "",
    surveyed < total
      ? `Examples of labels and problems are from the first ${count(surveyed)} of the ${count(total)} texts.`
      : "",
    nested ? `${plural(nested, "mention")} ${nested === 1 ? "is" : "are"} inside other mentions.` : "",
  ].filter((note) => note);
  return [el("h3", {}, "Texts"), table(header, rows), notes.length ? el("p", {}, notes.join(" ")) : null];
}

function annotators({ annotators: lines }) {
  return lines.length ? [el("h3", {}, "Annotators"), el("pre", { tabindex: 0 }, withQuotes(lines.join("\n")))] : null;
}

function labelSets({ labels }) {
  return labels.map(([layer, number, rows]) => {
    const hasRoles = rows.some(([, , , roles]) => roles.length);
    return [
      el("h3", {}, `Labels of ${layer}: ${count(number)}`),
      table(
        ["label", "number", "examples", ...(hasRoles ? ["roles"] : [])],
        rows.map(([label, n, examples, roles]) => [
          isolated(label),
          n,
          el("span", {}, separated(examples.map(isolated))),
          ...(hasRoles ? [el("span", {}, separated(roles.map(isolated)))] : []),
        ]),
        20,
      ),
      rows.length < number ? el("p", {}, `The ${count(rows.length)} labels with most annotations are shown.`) : null,
    ];
  });
}

function firstTexts(key, { first }) {
  if (!first.length) return null;
  const cards = first.map(([id, text, entities, relations, events]) =>
    textCard({ key, id, text, entities, relations, events, lang: data.sources[key].lang }),
  );
  return [el("h3", {}, "First texts"), cards];
}

function problemTable(title, [kinds, first], none) {
  const total = sum(kinds.map(([, n]) => n));
  const rows = kinds.map(([kind, n]) => [kind, n]);
  const listed = first.map(([kind, place, detail]) => [
    isolated(place),
    el("span", {}, withQuotes(detail)),
    kind.replace(/^[a-z]+ left out: /, ""),
  ]);
  return [
    el("h3", {}, `${title}: ${total ? count(total) : none}`),
    rows.length ? table(["kind", "number"], rows) : null,
    listed.length
      ? el("details", {}, el("summary", {}, listed.length < total ? `The first ${count(listed.length)}` : "Each of them"), table(["place", "detail", "kind"], listed))
      : null,
  ];
}

function notUsed({ ignored }) {
  if (!ignored.length) return null;
  return el("p", {}, `Not used: ${ignored.map(([kind, n]) => `${kind} (${count(n)} ×)`).join("; ")}.`);
}

// The parts of the section of a source, from top to bottom.
const SOURCE_PARTS = [
  (key, source) => aboutSource(source),
  (key, source) => splitCounts(source),
  (key, source) => annotators(source),
  (key, source) => labelSets(source),
  firstTexts,
  (key, source) => problemTable("Left out", source.left_out, "nothing"),
  (key, source) => notUsed(source),
  (key, source) => problemTable("Problems in the texts", source.problems, "none"),
];

function userSource(key, isOpen) {
  const source = data.user_sources[key];
  const about = `: ${source.format}, ${plural(source.files[0], "file")}, ${language(data.sources[key].lang)}`;
  const details = el("details", { open: isOpen }, el("summary", {}, el("strong", {}, key), about));
  const draw = () => {
    if (details.open && details.children.length < 2)
      details.append(
        el(
          "div",
          {},
          SOURCE_PARTS.map((part) => part(key, source)),
        ),
      );
  };
  details.addEventListener("toggle", draw);
  draw();
  return details;
}

function drawUserSources() {
  const keys = sourceKeys().filter((key) => data.user_sources[key]);
  byId("user-sources-about").textContent = keys.length
    ? "What was read in your own files, before cleaning. Please check that the format, the splits and the labels are as you meant them, and look at the problems: correct them in your tool, or in a source.yaml."
    : "The chosen source is none of your own.";
  show(
    "user-sources",
    keys.length,
    keys.map((key) => userSource(key, keys.length <= OPEN_SOURCES)),
  );
}
