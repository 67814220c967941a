// What a person sees of a page (the chosen filters, opened details, the place) is in its address and in its links to
// other languages: a switch of the language, a reload or a shared link shows the same.

const undisturbed = { values: new Map(), opened: "" }; // the view that needs no parameters
const HEAD = 120; // pixels: the top of the window, where a link to a section shows its heading
const KEEP_AFTER = 500; // milliseconds: browsers limit how often an address may change

function viewControls() {
  return [...document.querySelectorAll("select[id], input[id]")];
}

function valueOf(control) {
  return control.type === "checkbox" ? String(control.checked) : control.value;
}

// The numbers of the opened <details>.
function openedDetails() {
  return [...document.querySelectorAll("details")].flatMap((node, n) => (node.open ? [n] : [])).join(" ");
}

// The last heading or section that begins above the window or in its head, and the pixels from there to the window.
function placeInPage() {
  const nodes = [...document.querySelectorAll("main :is(h2, h3, section, div)[id]")];
  const node = nodes.filter((one) => one.getClientRects().length && one.getBoundingClientRect().top < HEAD).pop();
  return node ? `${Math.round(-node.getBoundingClientRect().top)} ${node.id}` : `${Math.round(scrollY)}`;
}

function goToPlace(place) {
  const [offset, ...id] = place.split(" ");
  const node = document.getElementById(id.join(" "));
  scrollTo(0, Number(offset) + (node ? node.getBoundingClientRect().top + scrollY : 0));
}

// The address of this view in a language ("": that of the browser).
function viewAddress(lang, more = {}) {
  const parameters = new URLSearchParams(lang ? { lang } : {});
  for (const control of viewControls()) {
    if (valueOf(control) !== undisturbed.values.get(control.id)) parameters.set(control.id, valueOf(control));
  }
  if (openedDetails() !== undisturbed.opened) parameters.set("open", openedDetails());
  for (const [name, value] of Object.entries(more)) parameters.set(name, value);
  const query = parameters.toString();
  return `${location.pathname}${query && `?${query}`}${location.hash}`;
}

function setControl(control, value) {
  if (control.type === "checkbox") control.checked = value === "true";
  else if (!control.options || [...control.options].some((option) => option.value === value)) control.value = value;
  control.dispatchEvent(new Event(control.type === "search" ? "input" : "change", { bubbles: true }));
}

// Shows the view of the address, and keeps the address up to date from then on. Controls are set in their order on the
// page.
function restoreView() {
  for (const control of viewControls()) undisturbed.values.set(control.id, valueOf(control));
  undisturbed.opened = openedDetails();
  const parameters = new URLSearchParams(location.search);
  for (const control of viewControls().filter(({ id }) => parameters.has(id))) setControl(control, parameters.get(control.id));
  const opened = parameters.get("open")?.split(" ");
  if (opened) document.querySelectorAll("details").forEach((node, n) => (node.open = opened.includes(String(n))));
  let waiting = 0;
  const keep = () => {
    const address = viewAddress(addressed);
    if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
  };
  if (parameters.has("at")) {
    addEventListener("load", () => {
      requestAnimationFrame(() => requestAnimationFrame(() => goToPlace(parameters.get("at")))); // details are drawn
      keep();
    });
  }
  for (const type of ["change", "input", "click", "keyup"]) {
    addEventListener(type, () => {
      clearTimeout(waiting);
      waiting = setTimeout(keep, KEEP_AFTER);
    });
  }
  for (const link of document.querySelectorAll("#languages a")) {
    for (const type of ["pointerdown", "click"]) {
      link.addEventListener(type, () => (link.href = viewAddress(link.lang, { at: placeInPage() })));
    }
  }
}
