/* The workspace of load testing: parts as tabs, rows that grow, parts that a choice shows, variables coloured in their
   fields, sending from the keyboard. Without this script every part stands below the other and all works as a form. */

const known = JSON.parse(document.getElementById("known-variables")?.textContent || "{}");
const TOKEN = /\{\{([^{}]*)\}\}/g;
let numbers = 0;

/* Sections with data-tab inside data-tabs become tabs; the chosen one stays chosen when the block is replaced. */
const chosen = new Map();

function makeTabs(block) {
  const sections = [...block.querySelectorAll(":scope > [data-tab]")];
  if (block.classList.contains("is-tabs") || !sections.length) return;
  block.classList.add("is-tabs");
  const list = Object.assign(document.createElement("div"), { className: "tablist", role: "tablist" });
  list.setAttribute("aria-label", block.closest("form, section")?.getAttribute("aria-label") || "Parts");
  const group = sections[0].id.split("-")[0];
  const tabs = sections.map((section) => {
    const tab = Object.assign(document.createElement("button"), { type: "button", role: "tab", id: `tab-${section.id}` });
    tab.textContent = section.dataset.tab;
    const count = Number(section.dataset.count);
    if (count) tab.append(" ", Object.assign(document.createElement("span"), { className: "count", textContent: String(count) }));
    tab.setAttribute("aria-controls", section.id);
    section.setAttribute("role", "tabpanel");
    section.setAttribute("aria-labelledby", tab.id);
    return tab;
  });
  const show = (place, focus) => {
    chosen.set(group, sections[place].id);
    sections.forEach((section, number) => {
      section.hidden = number !== place;
      tabs[number].setAttribute("aria-selected", String(number === place));
      tabs[number].tabIndex = number === place ? 0 : -1;
    });
    if (focus) tabs[place].focus();
  };
  list.addEventListener("click", ({ target }) => {
    const place = tabs.indexOf(target.closest("[role=tab]"));
    if (place >= 0) show(place);
  });
  list.addEventListener("keydown", (event) => {
    const place = tabs.indexOf(event.target);
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show((to + tabs.length) % tabs.length, true);
  });
  list.append(...tabs);
  block.prepend(list);
  const before = sections.findIndex((section) => section.id === (chosen.get(group) || location.hash.slice(1)));
  show(Math.max(0, before));
}

/* Rows: typing in the last one adds another; the number of a row is the value of its ticks. */
function growRows(table) {
  const rows = [...table.tBodies[0].rows];
  const last = rows.at(-1);
  if (![...last.querySelectorAll("input:not([type=checkbox])")].some((input) => input.value)) return;
  const fresh = last.cloneNode(true);
  for (const input of fresh.querySelectorAll("input")) {
    if (input.type === "checkbox") {
      input.value = String(rows.length);
      input.checked = input.defaultChecked = input.name.endsWith("-on");
    } else {
      input.value = "";
      input.removeAttribute("value");
    }
    const label = input.getAttribute("aria-label"); // hidden ones have none
    if (label) input.setAttribute("aria-label", label.replace(/\d+$/, String(rows.length + 1)));
  }
  for (const marks of fresh.querySelectorAll(".marks")) marks.remove();
  for (const wrap of fresh.querySelectorAll(".marked")) wrap.replaceWith(...wrap.childNodes);
  table.tBodies[0].append(fresh);
  mark(fresh);
}

/* A select with data-shows="x" shows the elements data-part="x" whose data-for lists its value. */
function showParts(select) {
  for (const part of select.form.querySelectorAll(`[data-part="${select.dataset.shows}"]`)) {
    part.hidden = !part.dataset.for.split(" ").includes(select.value);
  }
}

/* Variables: a layer behind the field carries their colours; the value is told on hover and below the address. */
function mark(within) {
  for (const input of within.querySelectorAll("input[data-variables]:not([type=password])")) {
    if (input.parentElement.classList.contains("marked")) continue;
    const wrap = Object.assign(document.createElement("span"), { className: "marked" });
    const layer = Object.assign(document.createElement("span"), { className: "marks mono", ariaHidden: "true" });
    input.before(wrap);
    wrap.append(layer, input);
    const draw = () => colour(input, layer);
    input.addEventListener("input", draw);
    input.addEventListener("scroll", () => { layer.scrollLeft = input.scrollLeft; });
    input.addEventListener("mousemove", (event) => { input.title = told(layer, event); });
    draw();
  }
}

function colour(input, layer) {
  const parts = [];
  let from = 0;
  for (const found of input.value.matchAll(TOKEN)) {
    const name = found[1].trim();
    const span = Object.assign(document.createElement("mark"), { textContent: found[0] });
    span.dataset.name = name;
    if (!known[name] && !name.startsWith("$")) span.className = "is-unknown";
    parts.push(input.value.slice(from, found.index), span);
    from = found.index + found[0].length;
  }
  layer.replaceChildren(...parts, input.value.slice(from));
  layer.scrollLeft = input.scrollLeft;
}

function told(layer, { clientX, clientY }) {
  for (const span of layer.querySelectorAll("mark")) {
    for (const box of span.getClientRects()) {
      if (clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom) return sentence(span.dataset.name);
    }
  }
  return "";
}

function sentence(name) {
  if (known[name]) return `${name} = ${known[name].value} (${known[name].scope})`;
  return name.startsWith("$") ? `${name}: a new value for each request` : `${name} is not defined`;
}

/* Below the address: each variable of the request with what it stands for. */
function listNames(form) {
  const list = form.querySelector("[data-names]");
  if (!list) return;
  const fields = [...form.querySelectorAll("[data-variables], #body_text")];
  const names = new Set(fields.flatMap((field) => [...field.value.matchAll(TOKEN)].map((found) => found[1].trim())).filter(Boolean));
  list.replaceChildren(...[...names].map((name) => {
    const item = Object.assign(document.createElement("span"), { className: known[name] || name.startsWith("$") ? "name" : "name is-unknown" });
    item.append(Object.assign(document.createElement("code"), { textContent: name }), sentence(name).slice(name.length));
    return item;
  }));
}

function prepare(within) {
  within.querySelectorAll("[data-tabs]").forEach(makeTabs);
  if (within.matches?.("[data-tabs]")) makeTabs(within);
  within.querySelectorAll("select[data-shows]").forEach(showParts);
  mark(within);
}

prepare(document);
const builder = document.getElementById("builder");
if (builder) listNames(builder);
const tree = document.querySelector("[data-wide-open]");
if (tree && matchMedia("(max-width: 899px)").matches) tree.open = false;
document.addEventListener("htmx:load", (event) => prepare(event.detail.elt));
document.addEventListener("input", ({ target }) => {
  const table = target.closest?.("table[data-rows]");
  if (table) growRows(table);
  if (target.form === builder && builder) listNames(builder);
});
document.addEventListener("change", ({ target }) => {
  if (target.matches("select[data-shows]")) showParts(target);
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey)) return;
  const button = { Enter: "[data-send]", s: "[data-save]" }[event.key];
  const control = button && builder?.querySelector(button);
  if (!control || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  control.click();
});
