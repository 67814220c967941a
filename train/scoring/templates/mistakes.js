// The mistake browser of the page of scores: filters, the texts with their items, and the pairs of confused labels.

const data = JSON.parse(document.getElementById("data").textContent);
const STEP = 20;
const ITEMS = 200; // of a column: an answer that runs on can give a hundred thousand
const names = ["pair", "kind", "source", "task", "label"]; // of lists; a pair first, because it changes the others

const byId = (id) => document.getElementById(`mistakes-${id}`);

function element(tag, classes, ...children) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  node.append(...children);
  return node;
}

// Letters that run from right to left, and marks that change the direction.
const FROM_RIGHT = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

// A name of the data beside other words in a text without elements: it does not change their direction.
const isolated = (name) => (FROM_RIGHT.test(name) ? `\u2068${name}\u2069` : name);

// The mistakes of a text over all runs, as [class, item].
const mistakesOf = (text) => text.runs.flatMap((run) => [...run.wrong, ...run.missed]);
const differs = (text) => new Set(text.runs.map((run) => JSON.stringify([run.right, run.wrong]))).size > 1;

// Name of a filter → its value, "" or false if nothing is chosen.
function chosenFilters() {
  const lists = Object.fromEntries(names.map((name) => [name, byId(name).value]));
  return { ...lists, search: byId("search").value.trim().toLowerCase(), differs: Boolean(byId("differs")?.checked) };
}

function pairName(value) {
  const { gold, given, source } = pairNumber(value);
  return say("mistakes.given", { gold: isolated(gold), given: isolated(given), source: isolated(source) });
}

function pairNumber(value) {
  const [source, task, gold, given] = data.pairs[Number(value)];
  return { source, task, gold, given };
}

function fits(text, { pair, kind, source, task, label, search, differs: onlyDifferent }) {
  if (source && text.source !== source) return false;
  if (task && text.task !== task) return false;
  if (pair && !hasPair(text, pairNumber(pair))) return false;
  if (onlyDifferent && !differs(text)) return false;
  if (search && !`${text.text}\n${text.id}`.toLowerCase().includes(search)) return false;
  return mistakesOf(text).some(([name, [ofLabel]]) => (!kind || name === kind) && (!label || ofLabel === label));
}

function hasPair(text, { source, task, gold, given }) {
  if (text.source !== source || text.task !== task) return false;
  return text.confused.some(([right, wrong]) => right === gold && wrong === given);
}

function options(name, values, named = (value) => value) {
  const select = byId(name);
  for (const [value, count] of [...values].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
    const option = element("option", "", `${isolated(named(value))} (${count.toLocaleString("en-US")})`);
    option.value = value;
    select.append(option);
  }
}

function count(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

// The text in pieces: mentions of the gold, and of wrong predictions, are marked wherever they occur.
function marked(text) {
  const flags = new Uint8Array(text.text.length);
  const mark = (items, flag) => {
    for (const mention of new Set(items.flatMap(([, ...mentions]) => mentions).filter(Boolean))) {
      for (let at = text.text.indexOf(mention); at >= 0; at = text.text.indexOf(mention, at + 1)) {
        for (let place = at; place < at + mention.length; place++) flags[place] |= flag;
      }
    }
  };
  mark(text.gold, 1);
  mark(text.runs.flatMap((run) => run.wrong.map(([, item]) => item)), 2);
  const line = element("p", "text");
  line.lang = text.lang;
  line.dir = "auto";
  line.tabIndex = 0;
  for (let start = 0, end = 1; start < flags.length; start = end, end++) {
    while (end < flags.length && flags[end] === flags[start]) end++;
    const piece = text.text.slice(start, end);
    line.append(flags[start] ? element("mark", ["", "gold", "given", "gold given"][flags[start]], piece) : piece);
  }
  return line;
}

function chip(item, classes, note) {
  const [label, ...mentions] = item;
  const node = element("li", classes, element("b", "", element("bdi", "", label)), " ", ...mentions.flatMap((one, at) => [at ? " → " : "", element("bdi", "", one || "–")]));
  if (note) {
    const swatch = element("span", `swatch ${data.colours[note]}`);
    const name = element("small", "", swatch, say(`kind.${note}`));
    name.title = say(`meaning.${note}`);
    node.append(" ", name);
  }
  return node;
}

function column(title, chips) {
  const items = element("ul", "", ...chips.slice(0, ITEMS));
  if (chips.length > ITEMS) items.append(element("li", "dim", say("mistakes.rest", { n: chips.length - ITEMS })));
  if (!chips.length) items.append(element("li", "dim", say("mistakes.nothing")));
  return element("section", "", element("h4", "", title), items);
}

// The standard splits have words; others are named as in the predictions.
function shownSplit(split) {
  const key = `value.split.${split}`;
  return key in WORDS[LANGUAGE] ? say(key) : split;
}

function article(text) {
  const head = element("p", "dim", [text.source, `${text.task} ${say(`measure.${text.measure}`)}`, shownSplit(text.split), text.id].map(isolated).join(" · "));
  const columns = [column(say("mistakes.gold"), text.gold.map((item) => chip(item, "")))];
  text.runs.forEach((run, at) => {
    columns.push(
      column(data.files.length > 1 ? data.files[at] : say("mistakes.prediction"), [
        ...run.right.map((item) => chip(item, "right")),
        ...run.wrong.map(([kind, item]) => chip(item, "wrong", kind)),
        ...run.missed.map(([kind, item]) => chip(item, "missed", kind)),
      ]),
    );
  });
  return element("article", "", head, marked(text), element("div", "columns", ...columns));
}

// Why no text is shown: what each filter alone keeps out, as buttons that clear it.
function nothingFits(filters) {
  const clearing = (cleared, text) => {
    const button = element("button", "", text);
    button.type = "button";
    button.addEventListener("click", () => clear(cleared));
    return button;
  };
  const active = Object.keys(filters).filter((name) => filters[name]);
  const buttons = active.flatMap((name) => {
    const n = data.texts.filter((text) => fits(text, { ...filters, [name]: "" })).length;
    return n ? [clearing([name], say("mistakes.without", { filter: { key: `mistakes.${name}` }, n }))] : [];
  });
  return element("p", "empty", say("mistakes.empty"), ...buttons, clearing(active, say("mistakes.clear")));
}

function clear(filters) {
  for (const name of filters) {
    if (name === "differs") byId(name).checked = false;
    else byId(name).value = "";
  }
  restart();
}

function draw() {
  const filters = chosenFilters();
  const chosen = data.texts.filter((text) => fits(text, filters));
  const shown = Number(byId("shown").value);
  byId("list").replaceChildren(...(chosen.length ? chosen.slice(0, shown).map(article) : [nothingFits(filters)]));
  const counted = say("mistakes.count", { shown: chosen.length, n: data.texts.length });
  const isDrawn = data.texts.length < data.total;
  byId("count").textContent = isDrawn ? say("mistakes.drawn", { count: counted, total: data.total }) : counted;
  byId("more").hidden = chosen.length <= shown;
}

function restart() {
  byId("shown").value = STEP;
  draw();
}

// A pair has one source and task; the other filters would only hide some of its texts.
function choosePair() {
  const { pair, ...others } = chosenFilters();
  clear(Object.keys(others).filter((name) => byId(name)));
  if (!pair) return;
  const { source, task } = pairNumber(pair);
  Object.assign(byId("source"), { value: source });
  Object.assign(byId("task"), { value: task });
  restart();
}

// Another source or task than those of the chosen pair takes the place of the pair.
function chooseOther() {
  const { pair, source, task } = chosenFilters();
  const needed = pair ? pairNumber(pair) : {};
  if (pair && ((source && source !== needed.source) || (task && task !== needed.task))) byId("pair").value = "";
  restart();
}

if (data.texts.length) start();

function start() {
  options("kind", count(data.texts.flatMap((text) => [...new Set(mistakesOf(text).map(([kind]) => kind))])), (kind) => say(`kind.${kind}`));
  options("source", count(data.texts.map((text) => text.source)));
  options("task", count(data.texts.map((text) => text.task)));
  options("label", count(data.texts.flatMap((text) => [...new Set(mistakesOf(text).map(([, [label]]) => label))])));
  options("pair", data.pairs.map(([, , , , times], n) => [String(n), times]), pairName);
  byId("pair").parentElement.hidden = !data.pairs.length;
  byId("pair").addEventListener("change", choosePair);
  for (const name of ["source", "task"]) byId(name).addEventListener("change", chooseOther);
  for (const name of ["kind", "label", "differs"]) byId(name)?.addEventListener("change", restart);
  byId("search").addEventListener("input", restart);
  byId("shown").addEventListener("change", draw);
  byId("more").addEventListener("click", () => {
    byId("shown").value = Number(byId("shown").value) + STEP;
    draw();
  });
  for (const button of document.querySelectorAll("[data-pair]")) {
    button.addEventListener("click", () => {
      byId("pair").value = button.dataset.pair;
      choosePair();
      byId("list").scrollIntoView();
    });
  }
  restart();
}
