// Connects the parts and draws the page.

function mining({ hard_negatives: how, model }) {
  if (how === "none") return "without hard negatives";
  if (how === "random") return "hard negatives drawn at random";
  if (how !== "mine") return `hard negatives from ${how}`;
  return `hard negatives mined with ${model === "lexical" ? "the lexical encoder, which compares spelling only" : model}`;
}

function headline() {
  const sources = Object.values(data.sources);
  const asked = sources.flatMap((source) => Object.values(source.asked).flatMap((splits) => Object.values(splits)));
  const rows = count(sum(asked.map((n) => n.instructions)));
  const tasks = TASKS.filter((task) => sources.some((source) => source.asked[task])).join(", ");
  const kept = count(sum(sources.flatMap(({ splits }) => Object.values(splits).map((n) => n.kept.examples))));
  const langs = [...new Set(sources.map(({ lang }) => language(lang)))].sort().join(", ").replace(/, ([^,]*)$/, " and $1");
  byId("headline").textContent =
    `${rows} instructions (${tasks}) over ${kept} texts from ${count(sources.length)} sources in ${langs}; ${mining(data.hard_negatives)}.`;
  const notices = Object.entries(data.failed).map(([key, reason]) => `Missing: ${key}, because ${reason}`);
  const gated = Object.keys(data.sources).filter((key) => data.sources[key].licence === "gated");
  if (data.build.samples) {
    notices.unshift("This build is made of the bundled samples: sentences written for IEForge, not the datasets that they are named after.");
  } else if (gated.length) {
    notices.push(`Do not share this page: it contains text that must not be redistributed, from ${gated.join(", ")}.`);
  }
  byId("notices").append(...notices.map((notice) => el("p", { class: "notice" }, notice)));
  const list = [...document.querySelectorAll("main section:not([hidden])")].map((section) =>
    el("li", {}, el("a", { href: `#${section.id}` }, section.querySelector("h2").textContent)),
  );
  byId("sections").append(el("ul", {}, list));
  const about =
    "For each label, the labels that it is easily confused with. They are asked in the same instructions, so that a model learns to distinguish them. Similar labels are adjacent.";
  if (data.familiarity) {
    byId("familiarity-about").textContent =
      `How familiar a model is with the labels that test rows ask for. Seen: train rows of some source ask for a label of the same name in the same task. Near: they ask for a similar one (similarity of at least ${data.familiarity.near} by ${data.familiarity.model}). reports/familiarity.json has the nearest training labels of each.`;
  }
  byId("neighbours-about").textContent = data.neighbours.length ? about : "This build was made without hard negatives.";
}

function drawAll() {
  drawContents((source, task) =>
    choose(...(chosen.source === source && chosen.task === task ? ["", ""] : [source, task]), redraw),
  );
  drawFlow();
  drawUserSources();
  drawLengths();
  drawLabels();
  drawPositives();
  if (data.familiarity) drawFamiliarity();
  if (data.neighbours.length) drawNeighbours();
  drawLeakage();
  drawValidation();
}

// Draws everything again after the filter was changed.
function redraw() {
  pageNumber = 0;
  if (data.neighbours.length) fillSets();
  fillLabels();
  drawAll();
  drawExamples();
  drawRejects();
}

function start() {
  byId("user-sources").hidden = !Object.keys(data.user_sources).length;
  byId("familiarity").hidden = !data.familiarity;
  byId("forms").hidden = !data.forms.length;
  headline();
  fillFilter();
  options(byId("area"), [
    ["instructions", "instructions"],
    ["texts", "texts"],
    ["equal", "label sets"],
  ]);
  options(byId("measure"), [
    ...(data.tokens ? [["tokens", "instructions, tokens"]] : []),
    ["instructions", "instructions, characters"],
    ["texts", "texts, characters"],
  ]);
  if (!data.neighbours.length) for (const id of ["set", "focus"]) byId(id).parentElement.hidden = true;
  byId("source").addEventListener("change", () => choose(byId("source").value, chosen.task, redraw));
  byId("task").addEventListener("change", () => choose(chosen.source, byId("task").value, redraw));
  byId("filter").addEventListener("reset", (event) => {
    event.preventDefault();
    choose("", "", redraw);
  });
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
  byId("area").addEventListener("change", drawAll);
  byId("measure").addEventListener("change", drawLengths);
  byId("set").addEventListener("change", () => {
    fillFocus();
    drawNeighbours();
  });
  byId("focus").addEventListener("change", drawNeighbours);
  for (const [id, event] of [
    ["kind", "change"],
    ["label", "change"],
    ["lang", "change"],
    ["query", "input"],
  ]) {
    byId(id).addEventListener(event, () => {
      pageNumber = 0;
      drawExamples();
    });
  }
  byId("reason").addEventListener("change", drawRejects);
  let width = innerWidth;
  let waiting = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // the address bar of a phone appeared or disappeared
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      drawAll();
      drawRejects();
    }, 150);
  });
  if (data.forms.length) drawForms();
  choose("", "", redraw);
  document.documentElement.dataset.ready = "";
}

start();
