// The sources of the user's own data: what was recognised, counts, labels, first texts, losses and problems.

const OPEN_SOURCES = 3;

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
  return nodes.flatMap((node, n) => (n ? [say("list.comma"), node] : [node]));
}

function fileNames([number, names]) {
  const more = number > names.length ? say("list.more", { n: number - names.length }) : "";
  return [...separated(names.map(isolated)), more];
}

function aboutSource(source, lang) {
  const rows = [
    [say("user_sources.format"), translated(source.format)],
    [say("user_sources.files"), fileNames(source.files)],
    [say("user_sources.language"), say(source.lang_is_guess ? "user_sources.guess" : "user_sources.stated", { lang: language(lang), code: lang })],
    [say("user_sources.licence"), [translated(source.licence[0]), say("list.semicolon"), ...source.licence[1].map(translated)]],
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
  const header = [
    ...sayAll(["column.split", "column.texts", "column.annotated"]),
    ...shown.map((layer) => say(`layer.${layer}`)),
    say("column.left_out"),
    ...(limited ? [say("column.beyond")] : []),
  ];
  const rows = splits.map(([split, texts, annotated, numbers, leftOut, beyond]) => [
    SPLITS.includes(split) ? say(`split.${split}`) : split,
    texts,
    annotated,
    ...shown.map((layer) => numbers[all.indexOf(layer)]),
    leftOut,
    ...(limited ? [beyond] : []),
  ]);
  const total = sum(splits.map(([, texts]) => texts));
  const notes = [
    byHash ? say("user_sources.by_hash") : "",
    surveyed < total ? say(surveyed ? "user_sources.surveyed" : "user_sources.not_surveyed", { surveyed, n: total }) : "",
    nested ? say("user_sources.nested", { n: nested }) : "",
  ].filter((note) => note);
  return [el("h3", {}, say("user_sources.texts")), table(header, rows), notes.length ? el("p", {}, sentences(notes)) : null];
}

function annotators({ annotators: lines }) {
  return lines.length ? [el("h3", {}, say("user_sources.annotators")), el("pre", { tabindex: 0 }, withQuotes(lines.join("\n")))] : null;
}

function labelSets({ labels }) {
  return labels.map(([layer, number, rows]) => {
    const hasRoles = rows.some(([, , , roles]) => roles.length);
    return [
      el("h3", {}, say("user_sources.labels", { layer: say(`layer.${layer}`), n: number })),
      table(
        sayAll(["column.label", "column.number", "column.mentions", ...(hasRoles ? ["column.roles"] : [])]),
        rows.map(([label, n, examples, roles]) => [
          isolated(label),
          n,
          el("span", {}, separated(examples.map(isolated))),
          ...(hasRoles ? [el("span", {}, separated(roles.map(isolated)))] : []),
        ]),
        20,
      ),
      rows.length < number ? el("p", {}, say("user_sources.most", { n: rows.length })) : null,
    ];
  });
}

function firstTexts(key, { first }) {
  if (!first.length) return null;
  const cards = first.map(([id, text, entities, relations, events]) =>
    textCard({ key, id, text, entities, relations, events, lang: data.sources[key].lang }),
  );
  return [el("h3", {}, say("user_sources.first")), cards];
}

function problemTable(title, [kinds, first], none) {
  const parts = (kind) => kind.split(/(?<=^[a-z]+ left out: )/);
  const total = sum(kinds.map(([, n]) => n));
  const rows = kinds.map(([kind, n]) => [parts(kind).map(translated).join(""), n]);
  const listed = first.map(([kind, place, detail]) => [
    isolated(place),
    el("span", {}, withQuotes(detail)),
    translated(parts(kind).at(-1)),
  ]);
  return [
    el("h3", {}, say("list.title", { title, value: total || none })),
    rows.length ? table(sayAll(["column.kind", "column.number"]), rows) : null,
    listed.length
      ? el("details", {}, el("summary", {}, say(listed.length < total ? "user_sources.first_n" : "user_sources.each", { n: listed.length })), table(sayAll(["column.place", "column.detail", "column.kind"]), listed))
      : null,
  ];
}

function notUsed({ ignored }) {
  if (!ignored.length) return null;
  return el("p", {}, say("user_sources.not_used", { kinds: ignored.map(([kind, n]) => `${translated(kind)} (${count(n)} ×)`).join(say("list.semicolon")) }));
}

// The parts of the section of a source, from top to bottom.
const SOURCE_PARTS = [
  (key, source) => aboutSource(source, data.sources[key].lang),
  (key, source) => splitCounts(source),
  (key, source) => annotators(source),
  (key, source) => labelSets(source),
  firstTexts,
  (key, source) => problemTable(say("user_sources.left_out"), source.left_out, say("user_sources.nothing")),
  (key, source) => notUsed(source),
  (key, source) => source.surveyed ? problemTable(say("user_sources.problems"), source.problems, say("user_sources.none")) : null,
];

function userSource(key, isOpen) {
  const source = data.user_sources[key];
  const about = say("user_sources.about_one", { format: translated(source.format), n: source.files[0], lang: language(data.sources[key].lang) });
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
  const keys = sourceKeys().filter((key) => Object.hasOwn(data.user_sources, key));
  byId("user-sources-about").textContent = say(keys.length ? "user_sources.about" : "user_sources.not_own");
  show(
    "user-sources",
    keys.length,
    keys.map((key) => userSource(key, keys.length <= OPEN_SOURCES)),
  );
}
