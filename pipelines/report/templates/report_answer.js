// One instruction: the labels that its prompt asks for, its text with gold, and its answer as lines.

const ROLES = { p: "positive", h: "hard", o: "other" };

// The labels of a row as buttons. A sign stands before positive labels and hard negatives, besides the colour.
function chips(row) {
  return el(
    "ul",
    { class: "chips", "aria-label": say("sample.labels") },
    row.labels.map((label, n) => {
      const role = ROLES[row.roles[n]];
      return el("li", {}, chip(label, role, () => showLabel(label, row)));
    }),
  );
}

function chip(label, role, act) {
  const title = say("role.of", { label, role: say(`role.${role}`) });
  const style = role === "positive" ? `--hue:${hue(label)}` : null;
  return el(
    "button",
    { type: "button", class: `chip ${role}`, style, title, "aria-label": title, click: act },
    el("span", { "aria-hidden": "true" }, say(`role.sign.${role}`)),
    el("bdi", {}, label),
  );
}

// The answer as lines, one for each label with a value, and one with the labels without any.
function answerLines({ answer, task }) {
  if (answer === null) return el("p", { class: "dim" }, say("gold.unknown"));
  if (typeof answer === "string") return el("p", { class: "plain", dir: "auto" }, answer);
  if (Array.isArray(answer)) return itemLines(answer);
  const isNothing = (value) => value === "NAN" || (Array.isArray(value) && !value.length);
  const entries = Object.entries(answer);
  const none = entries.filter(([, value]) => isNothing(value)).map(([label]) => label);
  return [
    el(
      "dl",
      { class: "answer" },
      entries
        .filter(([, value]) => !isNothing(value))
        .map(([label, value]) => [el("dt", {}, el("bdi", {}, label)), el("dd", {}, valueParts(label, value, task))]),
    ),
    none.length ? el("p", { class: "dim" }, say("sample.nothing_for", { labels: none.join(say("list.comma")) })) : null,
  ];
}

function mentionMark(label, text) {
  return el("mark", { style: `--hue:${hue(label)}` }, el("bdi", {}, text));
}

// The value of a label in an answer of one of the object forms.
function valueParts(label, value, task) {
  if (task === "KG") {
    return Object.entries(value).map(([entity, attributes]) =>
      el("div", {}, mentionMark(label, entity), Object.entries(attributes).map(([name, text]) => roleLine(name, [text].flat().join(say("list.comma"))))),
    );
  }
  return [value].flat().map((item, n) => {
    if (typeof item === "string") return [n ? say("list.comma") : "", mentionMark(label, item)];
    if ("mention" in item) return [n ? say("list.comma") : "", mentionMark(label, item.mention), inContext(item)];
    if ("subject" in item) return el("div", {}, pairLine(item.subject, "", item.object));
    return el("div", {}, mentionMark(label, item.trigger), argumentParts(item.arguments));
  });
}

function inContext({ before, after }) {
  return el("span", { class: "dim" }, ` ${say("sample.place", { before, after })}`);
}

function argumentParts(byRole) {
  return Object.entries(byRole)
    .filter(([, value]) => value !== "NAN")
    .map(([role, value]) => roleLine(role, [value].flat().join(say("list.comma"))));
}

// Annotations as a list: those of a test row, or of the form `triples`.
function itemLines(items) {
  if (!items.length) return el("p", { class: "dim" }, say("gold.none"));
  return el("ul", {}, items.map((item) => el("li", {}, itemParts(item))));
}

function itemParts(item) {
  if ("entity_type" in item && "entity" in item) return [`${item.entity_type}: `, mentionMark(item.entity_type, item.entity)];
  if ("relation" in item && "head" in item) {
    const [head, tail] = [item.head, item.tail].map((end) => (typeof end === "string" ? end : JSON.stringify(end)));
    return pairLine(head, item.relation, tail);
  }
  if ("event_type" in item) {
    const trigger = item.event_trigger ? mentionMark(item.event_type, item.event_trigger) : say("gold.no_trigger");
    return [`${item.event_type}: `, trigger, (item.arguments || []).map(({ role, argument }) => roleLine(role, argument))];
  }
  return JSON.stringify(item);
}

// The prompt and the answer of a row as JSON.
function rowJson(row) {
  const prompt = { instruction: row.prompt, schema: row.schema || row.labels, input: row.text.text };
  const parts = [
    [say("sample.prompt"), JSON.stringify(prompt, null, 1)],
    [answerTitle(row), typeof row.answer === "string" ? row.answer : JSON.stringify(row.answer, null, 1)],
  ];
  return parts.map(([title, json]) => [el("h4", {}, title), el("pre", { lang: row.text.lang, tabindex: 0 }, json)]);
}

function answerTitle({ text }) {
  return say(text.split === "test" ? "sample.gold" : "sample.answer");
}

function instructionCard(row) {
  const { key, text } = row;
  const positive = new Set(row.labels.filter((_, n) => row.roles[n] === "p"));
  const json = el("details", {}, el("summary", {}, say("sample.json")));
  json.addEventListener("toggle", () => json.children.length < 2 && json.append(el("div", {}, rowJson(row))));
  const about = [row.id, row.task, say(`split.${text.split}`), data.sources[key].domain, row.form];
  return el(
    "article",
    { "data-id": row.id },
    el("header", {}, about.filter((part) => part).map((part) => el("span", {}, part))),
    el("p", { class: "prompt", lang: text.lang, dir: "auto" }, row.prompt),
    chips(row),
    el(
      "p",
      { class: "text", lang: text.lang, dir: "auto" },
      marked(text.text, tagged(goldOf(text, row.task, positive))),
    ),
    el("h3", {}, answerTitle(row)),
    answerLines(row),
    json,
  );
}
