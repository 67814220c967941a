// What the page itself says. The words are in words.en.json, by key; no other file of the page has any.

// The text of a key with its `{name}`s replaced by `parts`. Numbers get thousands separators; `n` chooses between the
// forms for one and for other numbers.
function say(key, parts = {}) {
  const entry = data.words[key];
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
}
