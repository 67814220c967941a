// The examples with their gold mentions, and the instructions.

const PAGE = 12;
const LAYERS = {
  NER: ["entities"],
  RE: ["relations"],
  SPO: ["relations"],
  KG: ["relations"],
  EE: ["events"],
  EET: ["events"],
  EEA: ["events"],
};

// The first example of every source, then the second of every source, and so on.
const texts = Object.entries(data.examples)
  .flatMap(([key, rows]) =>
    rows.map(([id, text, entities, relations, events], rank) => ({
      rank,
      key,
      id,
      text,
      entities,
      relations,
      events,
      lang: data.sources[key].lang,
    })),
  )
  .sort((a, b) => a.rank - b.rank);
const samples = data.samples.map(([key, task, id, instruction, answer]) => ({
  key,
  task,
  id,
  instruction,
  answer,
  lang: data.sources[key].lang,
}));

function layersShown() {
  return chosen.task ? LAYERS[chosen.task] : ["entities", "relations", "events"];
}

// The labels of an example in the shown layers; typed names for SPO.
function exampleLabels(example) {
  const labels = new Set();
  for (const layer of layersShown()) {
    for (const [label, , , head, tail] of example[layer] || []) {
      labels.add(chosen.task === "SPO" ? `${head}_${label}_${tail}` : label);
    }
  }
  return labels;
}

// [[mention, tag], ...] to mark in the text.
function tagged(example) {
  const pairs = [];
  const layers = layersShown();
  if (layers.includes("entities")) for (const [label, mention] of example.entities || []) pairs.push([mention, label]);
  if (layers.includes("relations")) {
    const known = new Set(pairs.map(([mention]) => String(mention)));
    for (const [, head, tail, headLabel, tailLabel] of example.relations || []) {
      for (const [mention, label] of [
        [head, headLabel],
        [tail, tailLabel],
      ]) {
        if (!known.has(String(mention))) pairs.push([mention, label]);
      }
    }
  }
  if (layers.includes("events")) {
    for (const [label, trigger, roles] of example.events || []) {
      if (trigger !== null) pairs.push([trigger, label]);
      if (chosen.task !== "EET") for (const [role, mention] of roles) pairs.push([mention, role]);
    }
  }
  return pairs;
}

// Mentions → pieces {start, end, tags, exact, last} in UTF-16 units; spans are in code points. For a mention without
// offsets, all occurrences of its text are returned, with `exact` false.
function places(text, mentions) {
  let unit = null;
  if (/[\ud800-\udfff]/.test(text)) {
    unit = [0];
    for (const character of text) unit.push(unit[unit.length - 1] + character.length);
  }
  const pieces = new Map();
  const put = (start, end, tag, exact, last) => {
    const key = `${start} ${end}`;
    if (!pieces.has(key)) pieces.set(key, { start, end, tags: new Set(), exact, last });
    if (tag) pieces.get(key).tags.add(tag);
  };
  for (const [mention, tag] of mentions) {
    if (typeof mention === "string") {
      for (
        let at = mention ? text.indexOf(mention) : -1, n = 0;
        at >= 0 && n < 20;
        at = text.indexOf(mention, at + 1), n += 1
      ) {
        put(at, at + mention.length, tag, false, true);
      }
    } else {
      for (let n = 0; n < mention.length; n += 2) {
        const [start, end] = unit ? [unit[mention[n]], unit[mention[n + 1]]] : [mention[n], mention[n + 1]];
        put(start, end, tag, true, n + 2 === mention.length);
      }
    }
  }
  return [...pieces.values()];
}

// The text with its mentions marked. If mentions nest or cross, each piece of text is inside the marks of all of them.
function marked(text, mentions) {
  const pieces = places(text, mentions);
  const ends = [...new Set([0, text.length, ...pieces.flatMap(({ start, end }) => [start, end])])].sort(
    (a, b) => a - b,
  );
  const nodes = [];
  for (let n = 0; n + 1 < ends.length; n += 1) {
    const [from, to] = [ends[n], ends[n + 1]];
    const over = pieces
      .filter(({ start, end }) => start <= from && end >= to)
      .sort((a, b) => a.end - a.start - (b.end - b.start));
    let node = document.createTextNode(text.slice(from, to));
    for (const { tags, exact } of over) {
      const caption = [...tags].join(" · ");
      node = el(
        "mark",
        { class: exact ? null : "somewhere", style: `--hue:${hue([...tags][0] || "")}`, title: caption || null },
        node,
      );
    }
    nodes.push(node);
    for (const { end, last, tags } of over) {
      if (end === to && last && tags.size)
        nodes.push(
          el(
            "span",
            { class: "tag", style: `--hue:${hue([...tags][0])}`, title: [...tags].join(" · ") },
            cut([...tags].join(" · "), 200),
          ),
        );
    }
  }
  return nodes;
}

function surface(text, mention) {
  if (typeof mention === "string") return mention;
  const characters = [...text];
  const pieces = [];
  for (let n = 0; n < mention.length; n += 2) pieces.push(characters.slice(mention[n], mention[n + 1]).join(""));
  return pieces.join(" ");
}

function facts(example) {
  const layers = layersShown();
  const lines = [];
  if (layers.includes("relations")) {
    for (const [label, head, tail] of example.relations || []) {
      lines.push(
        el(
          "li",
          {},
          el("bdi", {}, surface(example.text, head)),
          " ",
          el("span", { class: "relation" }, `— ${label} →`),
          " ",
          el("bdi", {}, surface(example.text, tail)),
        ),
      );
    }
  }
  if (layers.includes("events")) {
    for (const [label, trigger, roles] of example.events || []) {
      const arguments_ =
        chosen.task === "EET"
          ? []
          : roles.map(([role, mention]) => [
              ", ",
              el("span", { class: "relation" }, `${role}: `),
              el("bdi", {}, surface(example.text, mention)),
            ]);
      lines.push(
        el(
          "li",
          {},
          el("span", { class: "relation" }, `${label}: `),
          trigger === null ? "no trigger" : el("bdi", {}, surface(example.text, trigger)),
          arguments_,
        ),
      );
    }
  }
  return lines.length ? el("ul", {}, lines) : null;
}

function heading(item, more) {
  return el(
    "header",
    {},
    el("span", {}, item.id),
    el("span", {}, data.sources[item.key].domain),
    more ? el("span", {}, more) : null,
  );
}

function textCard(example) {
  const none = layersShown().every((layer) => !(example[layer] || []).length);
  const unknown = layersShown().every((layer) => example[layer] === null);
  return el(
    "article",
    { "data-id": example.id },
    heading(example, unknown ? "not annotated" : none ? "no label occurs" : ""),
    el("p", { class: "text", lang: example.lang, dir: "auto" }, marked(example.text, tagged(example))),
    facts(example),
  );
}

function pretty(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 1);
  } catch {
    return json; // truncated
  }
}

function instructionCard(sample) {
  return el(
    "article",
    { "data-id": sample.id },
    heading(sample, sample.task),
    el("pre", { lang: sample.lang, tabindex: 0 }, pretty(sample.instruction)),
    el("p", {}, sample.id.startsWith(`${sample.key}/test/`) ? "Gold of the whole text" : "Answer"),
    el("pre", { lang: sample.lang, tabindex: 0 }, pretty(sample.answer)),
  );
}

// One question with its prompt and its answer in each form.
function formCard({ task, id, schema, text, answers }) {
  const answer = (one) => [el("h3", {}, one.form), el("p", {}, one.prompt), el("pre", { tabindex: 0 }, one.answer)];
  return el(
    "article",
    { "data-id": id },
    el("header", {}, el("span", {}, id), el("span", {}, task)),
    el("p", { class: "text", dir: "auto" }, text),
    el("p", {}, "Labels asked: ", el("code", {}, schema)),
    el("div", { class: "pair" }, answers.map((one) => el("div", {}, answer(one)))),
  );
}

function drawForms() {
  show("forms", data.forms.length, data.forms.map(formCard));
}

function searchable(item) {
  if (!item.lower)
    item.lower = (
      item.text === undefined
        ? [item.id, item.instruction, item.answer]
        : [item.id, item.text, JSON.stringify([item.entities, item.relations, item.events])]
    )
      .join("\n")
      .toLowerCase();
  return item.lower;
}

let pageNumber = 0;

function drawExamples() {
  const [query, label, lang] = [byId("query").value.trim().toLowerCase(), byId("label").value, byId("lang").value];
  const showsTexts = byId("kind").value === "texts";
  const keys = new Set(sourceKeys());
  byId("label").disabled = !showsTexts;
  const matches = (showsTexts ? texts : samples).filter(
    (item) =>
      keys.has(item.key) &&
      (!lang || item.lang === lang) &&
      (showsTexts ? !label || exampleLabels(item).has(label) : !chosen.task || item.task === chosen.task) &&
      (!query || searchable(item).includes(query)),
  );
  const pages = Math.max(1, Math.ceil(matches.length / PAGE));
  pageNumber = Math.min(pageNumber, pages - 1);
  const drawn = matches.slice(pageNumber * PAGE, (pageNumber + 1) * PAGE);
  byId("matches").textContent =
    `${count(matches.length)} of the ${count((showsTexts ? texts : samples).length)} ${showsTexts ? "texts" : "instructions"} on this page`;
  const turn = (by) => () => {
    pageNumber += by;
    drawExamples();
    byId("matches").scrollIntoView();
  };
  show(
    "examples",
    drawn.length,
    drawn.map(showsTexts ? textCard : instructionCard),
    el(
      "div",
      { class: "pages" },
      el("button", { type: "button", disabled: pageNumber === 0, click: turn(-1) }, "Previous"),
      `${pageNumber + 1} of ${count(pages)}`,
      el("button", { type: "button", disabled: pageNumber + 1 >= pages, click: turn(1) }, "Next"),
    ),
  );
}

function fillLabels() {
  const keys = new Set(sourceKeys());
  const counts = new Map();
  for (const example of texts)
    if (keys.has(example.key)) for (const label of exampleLabels(example)) counts.set(label, (counts.get(label) || 0) + 1);
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  options(byId("label"), [["", "any"], ...sorted.map(([label, n]) => [label, `${label} (${n})`])], byId("label").value);
  const langs = [...new Set(texts.map(({ lang }) => lang))].sort();
  options(byId("lang"), [["", "any"], ...langs.map((lang) => [lang, language(lang)])], byId("lang").value);
}
