// The filter: one source, task and split for all plots.

const chosen = { source: "", task: "", split: "" };

function sourceKeys() {
  const keys = Object.keys(data.sources).filter((key) => !chosen.source || key === chosen.source);
  return chosen.task ? keys.filter((key) => data.sources[key].tasks.includes(chosen.task)) : keys;
}

// The values of `bySplit` (split → value) that pass the filter.
function ofSplits(bySplit) {
  return Object.entries(bySplit || {})
    .filter(([split]) => !chosen.split || split === chosen.split)
    .map(([, value]) => value);
}

function splitsShown() {
  return SPLITS.filter((split) => !chosen.split || split === chosen.split);
}

// [key, task] of the filtered sources and tasks that have instructions in the filtered split.
function filteredPairs() {
  return sourceKeys().flatMap((key) =>
    Object.entries(data.sources[key].asked)
      .filter(([task, bySplit]) => (!chosen.task || task === chosen.task) && (data.instructions[key] || {})[task] && total(bySplit, "instructions"))
      .map(([task]) => [key, task]),
  );
}

// The sum of a count over the filtered splits.
function total(bySplit, name) {
  return sum(ofSplits(bySplit).map((counts) => counts[name] || 0));
}

function domains() {
  const byDomain = new Map();
  for (const [key, source] of Object.entries(data.sources)) {
    if (!byDomain.has(source.domain)) byDomain.set(source.domain, []);
    byDomain.get(source.domain).push(key);
  }
  return [...byDomain].sort(([a], [b]) => (a < b ? -1 : 1));
}

function fillFilter() {
  const select = byId("source");
  select.append(el("option", { value: "" }, say("filter.all_sources", { n: Object.keys(data.sources).length })));
  for (const [domain, keys] of domains()) {
    select.append(
      el(
        "optgroup",
        { label: domain },
        keys.map((key) => el("option", { value: key }, cut(key, 420))),
      ),
    );
  }
  options(byId("split"), [["", say("filter.all_splits")], ...SPLITS.map((split) => [split, say(`split.${split}`)])]);
}

// Offers the tasks that the build asks of the chosen source (without instructions: the tasks of the source).
function fillTasks() {
  const sources = chosen.source ? [data.sources[chosen.source]] : Object.values(data.sources);
  const tasksOf = ({ tasks, asked }) => (isEmpty ? tasks : Object.keys(asked));
  const tasks = TASKS.filter((task) => sources.some((source) => tasksOf(source).includes(task)));
  options(byId("task"), [["", say("filter.all_tasks")], ...tasks.map((task) => [task, task])]);
  return tasks;
}

// Sets some parts of the filter and draws the page. A task that the source does not have is dropped.
function choose(parts, draw) {
  Object.assign(chosen, parts);
  if (!fillTasks().includes(chosen.task)) chosen.task = "";
  for (const [name, value] of Object.entries(chosen)) byId(name).value = value;
  byId("filter").classList.toggle("narrowed", Object.values(chosen).some((value) => value));
  draw();
}
