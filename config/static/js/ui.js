/* The frame's own behaviour: theme, relative times, menus, dialogs, keyboard, copying, forms sent once. */

const root = document.documentElement;
const remember = (name, value) => {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
};
const announce = (text) => { document.getElementById("announcer").textContent = text; };
const reveal = (within) => within.querySelectorAll("[data-needs-script]").forEach((part) => { part.hidden = false; });

reveal(document);
document.addEventListener("htmx:load", (event) => reveal(event.detail.elt));
document.querySelector("[data-autofocus]")?.focus();

/* Theme and shortcuts: kept in cookies so that the server's first paint is right. */
const shortcutsBox = document.querySelector("[data-shortcuts-choice]");
if (shortcutsBox) shortcutsBox.checked = root.dataset.shortcuts !== "off";
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-theme-choice]")) {
    root.dataset.theme = target.value;
    remember("theme", target.value);
    document.dispatchEvent(new CustomEvent("themechange"));
  } else if (target === shortcutsBox) {
    root.dataset.shortcuts = target.checked ? "on" : "off";
    remember("shortcuts", root.dataset.shortcuts);
  } else if (target.matches("[data-submit-on-change]")) {
    target.form.requestSubmit();
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("themechange")));

/* Relative times stay fresh; the rules are those of config/formats.py. */
const UNITS = [[86400, "day"], [3600, "h"], [60, "min"], [1, "s"]];

function relative(seconds) {
  const distance = Math.floor(Math.abs(seconds));
  for (const [size, unit] of UNITS) {
    if (distance < size) continue;
    const count = Math.floor(distance / size);
    const text = `${count} ${unit}${unit === "day" && count > 1 ? "s" : ""}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  }
  return "now";
}

function refreshTimes() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const age = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const text = time.dataset.relative === "for" ? relative(age).replace(" ago", "") : relative(age);
    if (time.textContent !== text) time.textContent = text;
    if (time.dataset.staleAfter) time.closest(".may-stale")?.classList.toggle("stale", age > Number(time.dataset.staleAfter));
  }
}

refreshTimes();
setInterval(refreshTimes, 1000);
document.addEventListener("visibilitychange", refreshTimes);
document.addEventListener("htmx:afterSettle", refreshTimes);

/* Title and tab icon count open critical alerts; the counted fragment moves by itself. */
function countCritical() {
  const state = document.querySelector("[data-critical]");
  if (!state) return;
  const critical = Number(state.dataset.critical);
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = critical ? `(${critical}) ${title}` : title;
  const link = document.querySelector("link[rel=icon]");
  const wanted = critical ? link.dataset.alert : link.dataset.calm;
  if (link.getAttribute("href") !== wanted) link.href = wanted;
}
document.addEventListener("htmx:afterSettle", countCritical);

document.addEventListener("click", async ({ target }) => {
  const copy = target.closest("[data-copy]");
  if (copy) await copyFrom(copy);
  const opener = target.closest("[data-dialog]");
  if (opener) {
    closeMenus();
    document.getElementById(opener.dataset.dialog)?.showModal();
  }
  if (target.closest("[data-close]")) target.closest("dialog")?.close();
  for (const menu of document.querySelectorAll("[data-menu][open]")) if (!menu.contains(target)) menu.open = false;
  const all = target.closest("[data-select-all]");
  if (all) {
    for (const box of document.querySelectorAll(`input[name="${all.dataset.selectAll}"]`)) box.checked = all.checked;
  }
});

async function copyFrom(button) {
  const label = button.innerHTML;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    announce("Copied");
  } catch {
    button.textContent = "Not copied: select the text instead";
  }
  setTimeout(() => { button.innerHTML = label; }, 2000);
}

function closeMenus() {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held) menu.querySelector("summary").focus();
  }
}

/* Forms: sent once; a confirmation that needs the name typed is not sent without it. */
document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-must-equal]")) return;
  target.setCustomValidity(target.value === target.dataset.mustEqual ? "" : `Type ${target.dataset.mustEqual}`);
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete]")) return;
  if (form.dataset.sending) return event.preventDefault();
  form.dataset.sending = "yes";
  // After the event, so that the pressed button's own name and value are still sent.
  setTimeout(() => {
    if (event.defaultPrevented) return delete form.dataset.sending;
    for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true;
  });
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) {
    delete form.dataset.sending;
    for (const button of form.querySelectorAll("[type=submit]")) button.disabled = false;
  }
});

/* Keyboard. Rows of `<table data-keys>` are walked with j and k; a control with data-key="a" in the row answers to a. */
let going = 0;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return closeMenus();
  const search = document.getElementById("search");
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && search) {
    event.preventDefault();
    return search.focus();
  }
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || root.dataset.shortcuts === "off") return;
  if (document.querySelector("dialog[open]")) return;
  if (press(event.key, search)) event.preventDefault();
});

function press(key, search) {
  if (Date.now() - going < 1500) {
    going = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    link?.click();
    return Boolean(link);
  }
  const help = document.getElementById("keyboard-help");
  if (key === "g") going = Date.now();
  else if (key === "/" && search) search.focus();
  else if (key === "?" && help) help.showModal();
  else if (key === "j" || key === "k") return moveRow(key === "j" ? 1 : -1);
  else {
    const control = document.activeElement.closest("tr")?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    control?.click();
    return Boolean(control);
  }
  return true;
}

function moveRow(step) {
  const rows = [...document.querySelectorAll("table[data-keys] tbody tr")].filter((row) => row.querySelector("a"));
  if (!rows.length) return false;
  const here = rows.indexOf(document.activeElement.closest("tr"));
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + step, 0), rows.length - 1);
  rows[next].querySelector("a").focus();
  return true;
}

/* Search: results below the box, walked with the arrow keys; the pages opened last while it is empty. */
const RECENT = "pharos.recent";
const searchHits = document.getElementById("search-hits");

function recent() {
  try { return JSON.parse(localStorage.getItem(RECENT)) || []; } catch { return []; }
}

function showRecent({ target }) {
  if (target.value) return;
  searchHits.replaceChildren(...recent().map(([url, textContent]) => Object.assign(document.createElement("a"), { href: url, textContent })));
}

if (searchHits) {
  const box = document.getElementById("search"), { form } = box;
  box.addEventListener("focus", showRecent);
  box.addEventListener("input", showRecent);
  form.addEventListener("keydown", (event) => {
    const stops = [box, ...searchHits.querySelectorAll("a")];
    const next = { ArrowDown: 1, ArrowUp: -1 }[event.key] + stops.indexOf(document.activeElement);
    if (event.key === "Escape") { box.focus(); searchHits.replaceChildren(); }
    else if (stops[next]) { event.preventDefault(); stops[next].focus(); }
  });
  form.addEventListener("focusout", ({ relatedTarget }) => { if (!form.contains(relatedTarget)) searchHits.replaceChildren(); });
  const name = document.querySelector(".crumbs") && document.querySelector("h1").textContent.trim();
  if (name) {
    const here = location.pathname;
    localStorage.setItem(RECENT, JSON.stringify([[here, name], ...recent().filter(([url]) => url !== here)].slice(0, 8)));
  }
}
