// What the page itself says, in the language of the browser or that of the address (?lang=zh). The words of a language
// are in words.<language>.json, by key; no other file of the page has any.

const LANGUAGES = Object.keys(data.words);
const wanted = [new URLSearchParams(location.search).get("lang") ?? "", ...navigator.languages];
const LANGUAGE = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? "en";

// The text of a key with its `{name}`s replaced by `parts`. Numbers get thousands separators; `n` chooses between the
// forms for one and for other numbers.
function say(key, parts = {}) {
  const entry = data.words[LANGUAGE][key];
  if (entry === undefined) throw new Error(`no words for ${key}`);
  const text = typeof entry === "string" ? entry : parts.n === 1 ? entry.one : entry.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof parts[name] === "number" ? count(parts[name]) : parts[name]));
}

function sayAll(keys) {
  return keys.map((key) => say(key));
}

// "a, b and c"
function list(items) {
  if (items.length < 2) return items.join("");
  return say("list.last", { items: items.slice(0, -1).join(say("list.comma")), last: items[items.length - 1] });
}

// Fills the elements of the page that name their words.
function sayPage() {
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of document.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
  document.title = say("page.title");
  document.documentElement.lang = LANGUAGE;
  const others = LANGUAGES.filter((tag) => tag !== LANGUAGE);
  byId("languages").append(
    ...others.map((tag) => el("a", { href: `?lang=${tag}`, lang: tag, hreflang: tag }, data.words[tag]["page.language"])),
  );
}
