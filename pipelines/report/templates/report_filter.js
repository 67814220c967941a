// The filter: one source and task for all plots.

const chosen = { source: "", task: "" };

function sourceKeys() {
  const keys = Object.keys(data.sources).filter((key) => !chosen.source || key === chosen.source);
  return chosen.task ? keys.filter((key) => data.sources[key].tasks.includes(chosen.task)) : keys;
}

// [key, task] of the filtered sources and tasks that have instructions.
function filteredPairs() {
  return sourceKeys().flatMap((key) =>
    Object.keys(data.sources[key].asked)
      .filter((task) => (!chosen.task || task === chosen.task) && (data.instructions[key] || {})[task])
      .map((task) => [key, task]),
  );
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
  select.append(el("option", { value: "" }, `all ${count(Object.keys(data.sources).length)} sources`));
  for (const [domain, keys] of domains()) {
    select.append(
      el(
        "optgroup",
        { label: domain },
        keys.map((key) => el("option", { value: key }, cut(key, 420))),
      ),
    );
  }
  const tasks = TASKS.filter((task) => Object.values(data.sources).some((source) => source.tasks.includes(task)));
  options(byId("task"), [["", "all tasks"], ...tasks.map((task) => [task, task])]);
}

function choose(source, task, draw) {
  chosen.source = source;
  chosen.task = !task || !source || data.sources[source].tasks.includes(task) ? task : "";
  byId("source").value = chosen.source;
  byId("task").value = chosen.task;
  byId("filter").classList.toggle("narrowed", Boolean(chosen.source || chosen.task));
  byId("show-all").disabled = !chosen.source && !chosen.task;
  draw();
}
