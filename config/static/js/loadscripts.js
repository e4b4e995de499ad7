/* Completions in script fields, from the table of the sandbox itself. Below the field, so that nothing is covered:
   arrow keys choose, Enter or Tab take, Escape closes. Fetched when the first script field is entered. */

const SHOWN = 8;
const WORD = /[\w$.]+$/;
let table = null;
let open = null; // {field, list, found, place}

async function load() {
  if (table) return;
  table = [];
  try {
    const answer = await fetch("/api/loadtest/scripting/completions", { signal: AbortSignal.timeout(10_000) });
    if (answer.ok) table = (await answer.json()).completions;
  } catch { /* without it the field is a plain one */ }
}

/* A snippet's `${1:name}` is its name; the caret goes behind what was put in. */
const plain = (item) => (item.insertTextRules === 4 ? item.insertText.replace(/\$\{\d+:([^}]*)\}/g, "$1").replace(/\$\{?\d+\}?/g, "") : item.insertText);

function matches(field) {
  if (field.selectionStart !== field.selectionEnd) return [];
  const word = field.value.slice(0, field.selectionStart).match(WORD)?.[0] || "";
  if (word.length < 2) return [];
  const low = word.toLowerCase();
  return table
    .map((item) => ({ item, label: item.label.toLowerCase() }))
    .filter(({ item, label }) => (label.startsWith(low) && label !== low)
      || (low.startsWith(".") && item.filterText?.toLowerCase().startsWith(low)))
    .sort((a, b) => (a.item.sortText || a.label).localeCompare(b.item.sortText || b.label))
    .slice(0, SHOWN)
    .map(({ item }) => ({ item, typed: word }));
}

function close() {
  if (!open) return;
  open.list.remove();
  for (const name of ["aria-controls", "aria-activedescendant"]) open.field.removeAttribute(name);
  open = null;
}

function show(field) {
  close();
  const found = matches(field);
  if (!found.length) return;
  const list = Object.assign(document.createElement("ul"), { className: "completions", role: "listbox", id: `${field.id}-completions` });
  list.setAttribute("aria-label", "Completions");
  list.append(...found.map(({ item }, place) => {
    const option = Object.assign(document.createElement("li"), { role: "option", id: `${list.id}-${place}`, title: item.documentation || "" });
    option.append(Object.assign(document.createElement("code"), { textContent: item.label }),
      Object.assign(document.createElement("span"), { className: "muted", textContent: item.detail || "" }));
    option.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(place); take(); });
    return option;
  }));
  field.after(list);
  field.setAttribute("aria-controls", list.id);
  open = { field, list, found };
  choose(0);
}

function choose(place) {
  open.place = (place + open.found.length) % open.found.length;
  [...open.list.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === open.place)));
  open.field.setAttribute("aria-activedescendant", open.list.children[open.place].id);
  open.list.children[open.place].scrollIntoView({ block: "nearest" });
}

function take() {
  const { field, found, place } = open;
  const { item, typed } = found[place];
  const text = typed.startsWith(".") ? `.${plain(item)}` : plain(item);
  field.setRangeText(text, field.selectionStart - typed.length, field.selectionStart, "end");
  close();
}

document.addEventListener("focusin", ({ target }) => { if (target.matches("[data-script]")) load(); });
document.addEventListener("focusout", ({ target }) => { if (open?.field === target) close(); });
document.addEventListener("input", ({ target }) => { if (target.matches("[data-script]") && table) show(target); });
document.addEventListener("keydown", (event) => {
  if (!open || event.target !== open.field || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    ArrowDown: () => choose(open.place + 1),
    ArrowUp: () => choose(open.place - 1),
    Enter: take,
    Tab: take,
    Escape: close,
  }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}, true);
