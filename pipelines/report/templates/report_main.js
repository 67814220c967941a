// Connects the parts and draws the page.

function mining({ hard_negatives: how, model }) {
  if (how === "none" || how === "random") return say(`mining.${how}`);
  if (how !== "mine") return say("mining.given", { how });
  return model === "lexical" ? say("mining.lexical") : say("mining.model", { model });
}

// A build without instructions has only what was read and left out.
const isEmpty = !Object.keys(data.instructions).length;
const OF_LOSSES = ["user-sources", "flow", "rejects"];

// The figures of what the filter leaves.
function drawHeadline() {
  if (isEmpty) {
    byId("headline").textContent = say("headline.nothing");
    return;
  }
  const pairs = filteredPairs();
  if (!pairs.length) {
    byId("headline").textContent = say("filter.nothing");
    return;
  }
  const keys = [...new Set(pairs.map(([key]) => key))];
  const asked = (name) => sum(pairs.map(([key, task]) => total(data.sources[key].asked[task], name)));
  const kept = sum(sourceKeys().flatMap((key) => ofSplits(data.sources[key].splits).map((n) => n.kept.examples)));
  const langs = [...new Set(keys.map((key) => language(data.sources[key].lang)))].sort();
  byId("headline").textContent = say("headline", {
    instructions: say("headline.instructions", { n: asked("instructions") }),
    tasks: TASKS.filter((task) => pairs.some(([, other]) => other === task)).join(say("list.comma")),
    texts: say("headline.texts", { n: chosen.task ? asked("examples") : kept }),
    sources: say("headline.sources", { n: keys.length }),
    langs: list(langs),
    mining: mining(data.hard_negatives),
  });
}

// Why a source failed; the {}s of the sentence stand for what differs.
function failure(reason) {
  for (const sentence of Object.keys(WORDS[LANGUAGE]).filter((key) => key.includes("{}"))) {
    const pieces = sentence.split("{}").map((piece) => piece.replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
    const parts = reason.match(new RegExp(`^${pieces.join("(.*?)")}$`, "s"))?.slice(1);
    if (parts) return say(sentence).replace(/\{\}/g, () => translated(parts.shift()));
  }
  return reason;
}

function drawNotices() {
  const notices = Object.entries(data.failed).map(([source, reason]) => say("notice.missing", { source, reason: failure(reason) }));
  if (data.build.samples) notices.unshift(say("notice.samples"));
  else {
    const keys = (one) => Object.keys(data.sources).filter((key) => data.sources[key].licence === one);
    for (const licence of (isEmpty ? ["gated"] : ["gated", "ask"]).filter((one) => keys(one).length))
      notices.push(say(`notice.${licence}`, { keys: firstOf(keys(licence)) }));
  }
  byId("notices").append(...notices.map((notice) => el("p", { class: "notice" }, notice)));
}

// The first names of a list, and how many more there are; the card has all of them.
function firstOf(names, most = 8) {
  const more = names.length > most ? say("list.more", { n: names.length - most }) : "";
  return names.slice(0, most).join(say("list.comma")) + more;
}

function fillSections() {
  const shown = [...document.querySelectorAll("main section:not([hidden])")].map((section) =>
    el("li", {}, el("a", { href: `#${section.id}` }, section.querySelector("h2").textContent)),
  );
  byId("sections").append(el("ul", {}, shown));
}

// The other pages of the build; the card has one file per language.
function fillPages() {
  if (isEmpty) return;
  const card = `${data.pages.card}${LANGUAGE === "en" ? "" : `_${LANGUAGE}`}.md`;
  const links = Object.entries({ ...data.pages, card }).map(([name, href]) => el("a", { href, "data-page": href.endsWith(".html") }, say(`related.${name}`)));
  byId("pages").append(el("ul", {}, links.map((link) => el("li", {}, link))));
  keepLanguage();
}

function fillAbout() {
  if (data.familiarity) {
    const { near, model } = data.familiarity;
    byId("familiarity-about").textContent = say("familiarity.about", { near: String(near), model });
  }
  byId("neighbours-about").textContent = say(data.neighbours.length ? "neighbours.about" : "neighbours.without");
  const isDropped = data.build.settings.clean?.partial_leaks === "drop";
  byId("leakage-about").textContent = sentences([say("leakage.about"), say(isDropped ? "leakage.dropped" : "leakage.reported")]);
}

function drawAll() {
  drawContents((source, task) =>
    choose(chosen.source === source && (chosen.task === task || !chosen.task) ? { source: "", task: "" } : { source, task }, redraw),
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
  drawForms();
}

// One question with its prompt and its answer in each form.
function formCard({ task, id, schema, text, answers }) {
  const answer = (one) => [el("h3", {}, one.form), el("p", {}, one.prompt), el("pre", { tabindex: 0 }, one.answer)];
  return el(
    "article",
    { "data-id": id },
    el("header", {}, el("span", {}, id), el("span", {}, task)),
    el("p", { class: "text", dir: "auto" }, text),
    el("p", {}, say("forms.labels"), " ", el("code", {}, schema)),
    el("div", { class: "pair" }, answers.map((one) => el("div", {}, answer(one)))),
  );
}

function drawForms() {
  const shown = data.forms.filter(
    ({ id, task }) =>
      (!chosen.task || task === chosen.task) && (!chosen.source || exampleKey(id) === chosen.source),
  );
  show("forms", shown.length, shown.length ? shown.map(formCard) : el("p", {}, say("forms.none")));
}

// Draws everything again after the filter was changed.
function redraw() {
  pageNumber = rejectPage = 0;
  if (data.neighbours.length) fillSets();
  fillLabels();
  drawHeadline();
  drawAll();
  drawInstructions();
  drawRejects();
}

// Calls `act` when the controls are changed.
function onChange(ids, act) {
  for (const id of ids) byId(id).addEventListener(byId(id).type === "search" ? "input" : "change", act);
}

function connect() {
  onChange(["source", "task", "split"], ({ target }) => choose({ [target.id]: target.value }, redraw));
  byId("filter").addEventListener("reset", (event) => {
    event.preventDefault();
    for (const id of ["label", "role", "hard", "form", "query", "reason", "reject-query"]) byId(id).value = "";
    choose({ source: "", task: "", split: "" }, redraw);
  });
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
  onChange(["area"], drawAll);
  onChange(["measure"], drawLengths);
  onChange(["set"], () => {
    fillFocus();
    drawNeighbours();
  });
  onChange(["focus"], drawNeighbours);
  onChange(["label", "role", "hard", "form", "query"], () => {
    pageNumber = 0;
    drawInstructions();
  });
  onChange(["reason", "reject-query"], () => {
    rejectPage = 0;
    drawRejects();
  });
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
}

function start() {
  sayPage();
  byId("user-sources").hidden = !Object.keys(data.user_sources).length;
  byId("familiarity").hidden = !data.familiarity;
  byId("forms").hidden = !data.forms.length;
  if (isEmpty) for (const section of document.querySelectorAll("main section")) section.hidden ||= !OF_LOSSES.includes(section.id);
  drawNotices();
  fillSections();
  fillPages();
  fillAbout();
  fillFilter();
  fillRoles();
  options(byId("area"), ["instructions", "texts", "equal"].map((name) => [name, say(`area.${name}`)]));
  options(
    byId("measure"),
    [...(data.tokens ? ["tokens"] : []), "instructions", "texts"].map((name) => [name, say(`measure.${name}`)]),
  );
  if (!data.neighbours.length) for (const id of ["set", "focus"]) byId(id).parentElement.hidden = true;
  connect();
  choose({}, redraw);
  restoreView();
  document.documentElement.dataset.ready = "";
}

start();
