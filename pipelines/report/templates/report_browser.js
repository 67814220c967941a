// The sampled instructions: filters by label, role, hard negatives and form, and a search.

const PAGE = 12;

// The first row of every source, then the second of every source, and so on.
const instructions = Object.entries(data.sample.rows)
  .flatMap(([key, rows]) => {
    const texts = data.sample.texts[key].map((text) => unpacked(key, text));
    return rows.map(([number, task, batch, prompt, form, labels, roles, schema, answer], rank) => ({
      rank,
      key,
      task,
      text: texts[number],
      id: `${texts[number].id}/${task}/${batch}`,
      prompt: data.sample.prompts[prompt],
      form,
      labels,
      roles,
      schema,
      answer,
    }));
  })
  .sort((a, b) => a.rank - b.rank);

let pageNumber = 0;

// The rows that pass the filter of the page.
function rowsInFilter() {
  const keys = new Set(sourceKeys());
  return instructions.filter(
    ({ key, task, text }) =>
      keys.has(key) && (!chosen.task || task === chosen.task) && (!chosen.split || text.split === chosen.split),
  );
}

// p, h or o: the role of the label in the row; "" if it does not ask for the label.
function roleIn(row, label) {
  const n = row.labels.indexOf(label);
  return n < 0 ? "" : row.roles[n];
}

function searchable(row) {
  if (!row.lower) row.lower = JSON.stringify([row.id, row.text.text, row.labels, row.answer]).toLowerCase();
  return row.lower;
}

function matchingRows() {
  const [query, label, role, hard, form] = ["query", "label", "role", "hard", "form"].map((id) => byId(id).value);
  const wanted = query.trim().toLowerCase();
  const rows = rowsInFilter().filter((row) => {
    const at = label ? roleIn(row, label) : null;
    return (
      (!label || (at && (!role || at === role))) &&
      (label || !role || row.roles.includes(role)) &&
      (!hard || row.roles.includes("h") === (hard === "with")) &&
      (!form || row.form === form) &&
      (!wanted || searchable(row).includes(wanted))
    );
  });
  if (!label) return rows;
  const order = (row) => 2 * "pho".indexOf(roleIn(row, label)) + !row.roles.includes("h");
  return rows.sort((a, b) => order(a) - order(b) || a.rank - b.rank);
}

// What the build knows of the chosen label: its annotations, and its hard negatives in each label set.
function aboutLabel(label) {
  const keys = new Set(sourceKeys());
  const isShown = (task, key) => keys.has(key) && (!chosen.task || task === chosen.task);
  const counts = data.labels
    .filter(([task, key, , labels]) => isShown(task, key) && labels.some(([name]) => name === label))
    .map(([task, key, , labels]) => {
      const [, ...bySplit] = labels.find(([name]) => name === label);
      const parts = SPLITS.map((split, n) => `${say(`split.${split}`)} ${count(bySplit[n])}`);
      return say("label.counts", { key, task, counts: parts.join(say("list.comma")) });
    });
  const near = data.neighbours
    .filter(([, key, , names]) => keys.has(key) && names.includes(label))
    .map(([task, key, , names, edges]) => {
      const found = edges[names.indexOf(label)].map(([to]) => names[to]);
      return el(
        "div",
        { class: "near-labels" },
        el("span", { class: "dim" }, say(found.length ? "label.hard_negatives" : "label.no_hard_negatives", { key, task })),
        found.map((name) => chip(name, "hard", () => showLabel(name))),
      );
    });
  return el("div", { class: "about-label" }, el("strong", {}, el("bdi", {}, label)), el("p", {}, counts.join("; ")), near.slice(0, 8));
}

function drawInstructions() {
  const label = byId("label").value;
  const matches = matchingRows();
  const pages = Math.max(1, Math.ceil(matches.length / PAGE));
  pageNumber = Math.min(pageNumber, pages - 1);
  const drawn = matches.slice(pageNumber * PAGE, (pageNumber + 1) * PAGE);
  const rows = sum(filteredPairs().map(([key, task]) => total(data.sources[key].asked[task], "instructions")));
  if (!rows) {
    byId("matches").textContent = "";
    showNothing("instructions");
    return;
  }
  byId("matches").textContent = say("sample.matches", { n: matches.length, sample: rowsInFilter().length, rows });
  show(
    "instructions",
    drawn.length,
    label ? aboutLabel(label) : null,
    drawn.map(instructionCard),
    turning(pageNumber, pages, (number) => {
      pageNumber = number;
      drawInstructions();
      byId("matches").scrollIntoView();
    }),
  );
}

// Buttons to turn pages, if there are several.
function turning(number, pages, turn) {
  if (pages < 2) return null;
  return el(
    "div",
    { class: "pages" },
    el("button", { type: "button", disabled: number === 0, click: () => turn(number - 1) }, say("pages.previous")),
    say("pages.number", { number: number + 1, pages }),
    el("button", { type: "button", disabled: number + 1 >= pages, click: () => turn(number + 1) }, say("pages.next")),
  );
}

// Label → its annotations in the filtered splits of the corpus. The tasks of a source that share annotations count once.
function annotationCounts() {
  const [counts, at] = [new Map(), splitsShown().map((split) => SPLITS.indexOf(split))];
  for (const key of sourceKeys()) {
    const ofSource = Object.create(null); // a label may be called constructor
    for (const [, , , labels] of data.labels.filter((set) => set[1] === key && (!chosen.task || set[0] === chosen.task)))
      for (const [label, ...bySplit] of labels) ofSource[label] = Math.max(ofSource[label] || 0, sum(at.map((n) => bySplit[n])));
    addTo(counts, ofSource);
  }
  return counts;
}

// Fills the lists of labels and forms with those of the filtered rows, and keeps the chosen ones.
function fillLabels() {
  const [labels, forms] = [new Map(), new Set()];
  for (const row of rowsInFilter()) {
    forms.add(row.form);
    for (const label of row.labels) labels.set(label, (labels.get(label) || 0) + 1);
  }
  const annotations = annotationCounts();
  const option = ([label, n]) => {
    const all = annotations.get(label);
    return [label, all === undefined ? `${label} (${n})` : say("label.option", { label, here: n, n: all })];
  };
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  options(byId("label"), [["", say("filter.any")], ...sorted.map(option)], byId("label").value);
  options(byId("form"), [["", say("filter.any")], ...[...forms].sort().map((form) => [form, form])], byId("form").value);
  byId("form").parentElement.hidden = forms.size < 2;
}

function fillRoles() {
  options(byId("role"), [["", say("filter.any")], ...Object.entries(ROLES).map(([letter, role]) => [letter, say(`role.${role}`)])]);
  options(byId("hard"), [["", say("filter.any")], ["with", say("sample.with_hard")], ["without", say("sample.without_hard")]]);
}

// Shows the instructions that ask for a label. `row`: one that does, whose source and task the filter then has.
function showLabel(label, row) {
  if (row) choose({ source: row.key, task: row.task }, redraw);
  for (const id of ["role", "hard", "form", "query"]) byId(id).value = "";
  byId("label").value = label;
  pageNumber = 0;
  drawInstructions();
  byId("instructions").scrollIntoView();
}
