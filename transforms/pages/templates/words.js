// What a page itself says, in the language of the browser or that of its address (?lang=zh). The words of a language
// are in words.<language>.json, by key; no other file of a page has any.

const WORDS = JSON.parse(document.getElementById("words").textContent);
const LANGUAGES = Object.keys(WORDS);
const addressed = new URLSearchParams(location.search).get("lang");
const wanted = [addressed ?? "", ...navigator.languages];
const LANGUAGE = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? "en";

// The text of a key with its `{name}`s replaced by `parts`; `n` chooses between the forms for one and for other numbers.
function say(key, parts = {}) {
  const entry = WORDS[LANGUAGE][key];
  if (entry === undefined) throw new Error(`no words for ${key}`);
  const text = typeof entry === "string" ? entry : parts.n === 1 ? entry.one : entry.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => sayPart(parts[name]));
}

// A value: numbers get thousands separators, and a value with words of its own has their key.
function sayPart(part) {
  if (typeof part === "number") return Math.round(part).toLocaleString("en-US");
  return part?.key ? say(part.key, part.parts) : part;
}

// The parts of a text; those between backticks are code.
function coded(text) {
  return text.split("`").map((piece, n) => {
    if (n % 2 === 0) return piece;
    const code = document.createElement("code");
    code.textContent = piece;
    return code;
  });
}

// Fills the elements and attributes of the page that name their words, and adds the links to the other languages.
function sayPage() {
  document.documentElement.lang = LANGUAGE;
  const parts = (node) => JSON.parse(node.dataset.parts ?? "{}");
  for (const node of document.querySelectorAll("[data-say]")) node.replaceChildren(...coded(say(node.dataset.say, parts(node))));
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
