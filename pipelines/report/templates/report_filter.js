// Which source and task the page shows: one choice for all plots.

const chosen = { source: "", task: "" };

function sourceKeys() {
  const keys = Object.keys(data.sources).filter((key) => !chosen.source || key === chosen.source);
  return chosen.task ? keys.filter((key) => data.sources[key].tasks.includes(chosen.task)) : keys;
}

// [key, task] of everything that is chosen and has instructions.
function askedPairs() {
  return sourceKeys().flatMap((key) =>
    Object.keys(data.sources[key].asked)
      .filter((task) => (!chosen.task || task === chosen.task) && (data.instructions[key] || {})[task])
      .map((task) => [key, task]),
  );
}

function domains() {
  const found = new Map();
  for (const [key, source] of Object.entries(data.sources)) {
    if (!found.has(source.domain)) found.set(source.domain, []);
    found.get(source.domain).push(key);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
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
  byId("everything").disabled = !chosen.source && !chosen.task;
  draw();
}
