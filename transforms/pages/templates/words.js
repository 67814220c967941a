// What a page itself says, in the language of the browser or that of its address (?lang=zh). The words of a language
// are in words.<language>.json, by key; no other file of a page has any.

const WORDS = JSON.parse(document.getElementById("words").textContent);
const LANGUAGES = Object.keys(WORDS);
const addressed = new URLSearchParams(location.search).get("lang");
const wanted = [addressed ?? "", ...navigator.languages];
const LANGUAGE = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? "en";

// The words of a key; `n` chooses between the forms for one and for other numbers.
function words(key, parts) {
  const entry = WORDS[LANGUAGE][key];
  if (entry === undefined) throw new Error(`no words for ${key}`);
  return typeof entry === "string" ? entry : parts.n === 1 ? entry.one : entry.other;
}

// The text of a key with its `{name}`s replaced by `parts`.
function say(key, parts = {}) {
  return words(key, parts).replace(/\{(\w+)\}/g, (_, name) => sayPart(parts[name]));
}

// The same as nodes: what is between backticks in the words, but not in a value, is code.
function sayNodes(key, parts = {}) {
  const part = (name) => (parts[name]?.key ? sayNodes(parts[name].key, parts[name].parts) : [sayPart(parts[name])]);
  const filled = (text) => text.split(/\{(\w+)\}/).flatMap((piece, n) => (n % 2 ? part(piece) : [piece]));
  return words(key, parts)
    .split("`")
    .flatMap((piece, n) => (n % 2 ? [code(filled(piece))] : filled(piece)));
}

function code(nodes) {
  const element = document.createElement("code");
  element.append(...nodes);
  return element;
}

// A value: numbers get thousands separators, and a value with words of its own has their key.
function sayPart(part) {
  if (typeof part === "number") return Math.round(part).toLocaleString("en-US");
  return part?.key ? say(part.key, part.parts) : part;
}

// The parts of a text; those between backticks are code.
function coded(text) {
  return text.split("`").map((piece, n) => (n % 2 ? code([piece]) : piece));
}

// Fills the elements and attributes of the page that name their words, and adds the links to the other languages.
function sayPage() {
  document.documentElement.lang = LANGUAGE;
  const parts = (node) => JSON.parse(node.dataset.parts ?? "{}");
  for (const node of document.querySelectorAll("[data-say]")) node.replaceChildren(...sayNodes(node.dataset.say, parts(node)));
  for (const name of ["aria-label", "title", "placeholder"]) {
    for (const node of document.querySelectorAll(`[data-say-${name}]`))
      node.setAttribute(name, say(node.getAttribute(`data-say-${name}`), parts(node)));
  }
  for (const tag of LANGUAGES.filter((one) => one !== LANGUAGE)) {
    const link = document.createElement("a");
    Object.assign(link, { href: `?lang=${tag}`, lang: tag, hreflang: tag, textContent: WORDS[tag]["page.language"] });
    document.getElementById("languages").append(link);
  }
  keepLanguage();
}

// Links to other pages keep a language that was chosen in the address.
function keepLanguage() {
  for (const link of addressed ? document.querySelectorAll("a[data-page]") : []) link.search = `?lang=${LANGUAGE}`;
}
