// Helpers of all parts of the page: elements, SVG, numbers and tables. Text is inserted as text nodes, never as markup.

const data = JSON.parse(document.getElementById("data").textContent);
// The domains of the datasets have words; a user's stays as it is stated.
for (const source of Object.values(data.sources)) {
  const key = `domain.${source.domain || "none"}`;
  source.domain = key in WORDS[LANGUAGE] ? say(key) : source.domain;
}
const SPLITS = ["train", "validation", "test"];
const TASKS = ["NER", "RE", "SPO", "EE", "EET", "EEA", "KG"];

addEventListener("error", (event) => {
  document.documentElement.dataset.error = event.message;
  byId("notices").append(el("p", { class: "notice" }, say("page.error", { message: event.message })));
});

function byId(id) {
  return document.getElementById(id);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false)
      node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

function el(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

// An SVG drawing. One with buttons has the role of a group instead of an image.
function drawing(width, height, title, children, interactive = false) {
  return svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, role: interactive ? "group" : "img", "aria-label": title },
    children,
  );
}

// The attributes that make a shape a button for mouse and keyboard.
function button(label, act) {
  return {
    role: "button",
    tabindex: 0,
    "aria-label": label,
    click: act,
    keydown: (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        act(event);
      }
    },
  };
}

// Shows the parts in the plot of the section. The number of data marks is an attribute that tests read.
function show(section, marks, ...parts) {
  const plot = byId(section).querySelector(".plot");
  plot.replaceChildren(...parts.flat(Infinity).filter((part) => part));
  plot.dataset.drawn = marks;
}

// Says in the plot of the section that no data passes the filter.
function showNothing(section) {
  show(section, 0, el("p", {}, say("filter.nothing")));
}

function room(section) {
  return Math.floor(byId(section).getBoundingClientRect().width);
}

function sayAll(keys) {
  return keys.map((key) => say(key));
}

// "a, b and c"
function list(items) {
  if (items.length < 2) return items.join("");
  return say("list.last", { items: items.slice(0, -1).join(say("list.comma")), last: items[items.length - 1] });
}

function count(n) {
  return Math.round(n).toLocaleString("en-US");
}

function share(part, whole) {
  if (!whole) return "–";
  const percent = (100 * part) / whole;
  if (percent === 0) return "0 %";
  return percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

function brief(n) {
  for (const [unit, sign] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    if (n >= unit) return (n / unit).toFixed(n < 10 * unit ? 1 : 0) + sign;
  }
  return String(Math.round(n));
}

// Sentences as one text.
function sentences(parts) {
  return parts.filter((part) => part).join(say("list.between"));
}

// A sentence of the code in the language of the page; one of an older build stays as it is.
function translated(text) {
  return Object.hasOwn(WORDS[LANGUAGE], text) ? say(text) : text;
}

function language(code) {
  if (LANGUAGE !== "en") return new Intl.DisplayNames([LANGUAGE], { type: "language" }).of(code);
  return data.languages[code] || code;
}

// The approximate width of a text at 12 pixels, in pixels.
function widthOf(text) {
  let width = 0;
  for (const character of text) {
    if (character > "\u2e80") width += 12.5;
    else if ("mwMW@%".includes(character)) width += 11.5;
    else if ("fijlrtI.,:;|'()[] -".includes(character)) width += 4.7;
    else width += character === character.toUpperCase() ? 8.2 : 7.3;
  }
  return width;
}

function cut(text, width) {
  if (widthOf(text) <= width) return text;
  let kept = "";
  for (const character of text) {
    if (widthOf(`${kept}${character}…`) > width) break;
    kept += character;
  }
  return kept ? `${kept}…` : "";
}

// The writing on a button: outside of it, since a screen reader reads the button's own label.
function writing(x, y, text, style = "") {
  return svg("text", { x, y, class: style, "pointer-events": "none", "aria-hidden": "true" }, text);
}

// A table that first shows `step` rows. Numeric columns are right-aligned, with thousands separators.
function table(header, rows, step = 100) {
  const body = el("tbody");
  const numeric = header.map((_, n) => rows.length > 0 && rows.every((row) => typeof row[n] === "number"));
  const grow = () => {
    const from = body.children.length;
    for (const row of rows.slice(from, from + step)) {
      body.append(
        el(
          "tr",
          {},
          row.map((cell, n) => el("td", numeric[n] ? { class: "n" } : {}, numeric[n] ? count(cell) : cell)),
        ),
      );
    }
    more.hidden = body.children.length >= rows.length;
    if (!more.hidden) more.textContent = say("table.more", { n: rows.length });
  };
  const more = el("button", { type: "button", click: grow });
  grow();
  const head = el(
    "tr",
    {},
    header.map((name, n) => el("th", { scope: "col", class: numeric[n] ? "n" : null }, name)),
  );
  return el(
    "div",
    {},
    el(
      "div",
      { class: "wide", tabindex: 0, role: "group", "aria-label": say("table.label") },
      el("table", {}, el("thead", {}, head), body),
    ),
    more,
  );
}

// The table behind a plot; it is created when it is opened for the first time.
function behind(header, rows, title = say("table.behind")) {
  const details = el("details", {}, el("summary", {}, title));
  details.addEventListener("toggle", () => details.children.length < 2 && details.append(table(header, rows)));
  return details;
}

function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => el("option", { value }, cut(text, 420))));
  if (pairs.some(([value]) => value === chosen)) select.value = chosen;
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function addTo(totals, counts) {
  for (const [name, n] of Object.entries(counts)) totals.set(name, (totals.get(name) || 0) + n);
}

function addLists(lists) {
  return lists.reduce((total, list) => list.map((n, at) => n + (total[at] || 0)), []);
}

// A word has the same hue everywhere.
function hue(word) {
  let hash = 7;
  for (const character of word) hash = (hash * 31 + character.codePointAt(0)) % 1000003;
  return `var(--c${hash % 12})`;
}
