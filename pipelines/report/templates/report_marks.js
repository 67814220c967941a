// Texts with their gold mentions marked, and their relations and events as lines.

const LAYERS = {
  NER: ["entities"],
  RE: ["relations"],
  SPO: ["relations"],
  KG: ["relations"],
  EE: ["events"],
  EET: ["events"],
  EEA: ["events"],
};

function unpacked(key, [id, text, entities, relations, events]) {
  const split = id.slice(key.length + 1).split("/")[0];
  return { key, id, text, entities, relations, events, split, lang: data.sources[key].lang };
}

// What to show of an example for a task ("": all layers). With `labels`, only their annotations.
function goldOf(example, task, labels) {
  const layers = task ? LAYERS[task] : ["entities", "relations", "events"];
  const layer = (name, label) =>
    layers.includes(name) ? (example[name] || []).filter((item) => !labels || labels.has(label(item))) : [];
  return {
    entities: layer("entities", ([label]) => label),
    relations: layer("relations", (relation) => labelOf(task, relation)),
    events: layer("events", ([label]) => label).map(([label, trigger, roles]) => [label, trigger, task === "EET" ? [] : roles]),
  };
}

// The label by which a task asks for a relation.
function labelOf(task, [label, , , head, tail]) {
  if (task === "SPO") return `${head}_${label}_${tail}`;
  return task === "KG" ? head : label;
}

// [[mention, tag], ...] to mark in the text.
function tagged({ entities, relations, events }) {
  const pairs = entities.map(([label, mention]) => [mention, label]);
  const known = new Set(pairs.map(([mention]) => String(mention)));
  for (const [, head, tail, headLabel, tailLabel] of relations) {
    for (const [mention, label] of [
      [head, headLabel],
      [tail, tailLabel],
    ]) {
      if (!known.has(String(mention))) pairs.push([mention, label]);
    }
  }
  for (const [label, trigger, roles] of events) {
    if (trigger !== null) pairs.push([trigger, label]);
    for (const [role, mention] of roles) pairs.push([mention, role]);
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

// The relations and events as lines. `differs`: whether a line is marked, by its annotation.
function facts(text, { relations, events }, differs = () => false) {
  const line = (item, ...parts) => el("li", { class: differs(item) ? "differs" : null }, parts);
  const lines = [
    ...relations.map((relation) =>
      line(relation, pairLine(surface(text, relation[1]), relation[0], surface(text, relation[2]))),
    ),
    ...events.map((event) =>
      line(
        event,
        el("span", { class: "relation" }, `${event[0]}: `),
        event[1] === null ? say("gold.no_trigger") : el("bdi", {}, surface(text, event[1])),
        event[2].map(([role, mention]) => roleLine(role, surface(text, mention))),
      ),
    ),
  ];
  return lines.length ? el("ul", {}, lines) : null;
}

function pairLine(head, label, tail) {
  return [el("bdi", {}, head), " ", el("span", { class: "relation" }, label ? `— ${label} →` : "→"), " ", el("bdi", {}, tail)];
}

function roleLine(role, mention) {
  return [say("list.comma"), el("span", { class: "relation" }, `${role}: `), el("bdi", {}, mention)];
}

function textCard(example) {
  const layers = chosen.task ? LAYERS[chosen.task] : ["entities", "relations", "events"];
  const isUnknown = layers.every((layer) => example[layer] === null);
  const gold = goldOf(example, chosen.task, null);
  const isEmpty = Object.values(gold).every((items) => !items.length);
  const note = isUnknown ? say("gold.unknown") : isEmpty ? say("gold.none") : null;
  return el(
    "article",
    { "data-id": example.id },
    el("header", {}, [example.id, data.sources[example.key].domain, note].filter((part) => part).map((part) => el("span", {}, part))),
    el("p", { class: "text", lang: example.lang, dir: "auto" }, marked(example.text, tagged(gold))),
    facts(example.text, gold),
  );
}
