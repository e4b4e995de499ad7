/* Logs: new lines as they come, and narrowing the time by dragging over the bars. Without this script the page is a search.

   The stream tells which lines have come; the server is asked once a second for those of them that pass the search, as the
   rows it would have made itself. They come in at the top while the reader is there, else they wait behind a pill. */

const EVERY_MS = 1000, BARS_MS = 15_000, AT_ONCE = 200, MOST_LINES = 1000;
const part = (name) => document.getElementById(`log-${name}`);
const list = part("lines"), follow = part("follow"), pause = part("pause"), pill = part("pill"), state = part("state");
const held = [];
let stream = null, paused = false, timer = 0, ids = [], missed = 0, drawn = 0;

function start() {
  paused = false;
  follow.hidden = true;
  pause.hidden = false;
  if (stream) return release();
  stream = new EventSource(list.dataset.stream);
  stream.onopen = () => { state.textContent = "Following"; };
  stream.onmessage = ({ data }) => hear(JSON.parse(data));
  stream.onerror = () => {
    if (stream.readyState !== EventSource.CLOSED) { state.textContent = "Reconnecting…"; return; }
    stream = null;
    state.textContent = "Following has ended. Reload the page.";
    pause.hidden = true;
  };
}

function hear(line) {
  if (line.type === "overflow") missed += 1;
  if (!line.id) return;
  ids.push(line.id);
  if (ids.length > AT_ONCE) { ids.shift(); missed += 1; }
  timer ||= setTimeout(fetchRows, EVERY_MS);
}

async function fetchRows() {
  const asked = ids;
  ids = [];
  try {
    const answer = await fetch(`${list.dataset.rows}&ids=${asked.join()}`, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok || answer.redirected) throw new Error(`rows ${answer.status}`);
    const fresh = document.createElement("template");
    fresh.innerHTML = await answer.text();
    held.unshift(...[...fresh.content.children].filter(({ id }) => !document.getElementById(id)));
    missed += held.splice(MOST_LINES).length;
    if (paused || document.hidden || list.getBoundingClientRect().top < 0) tell();
    else release();
  } catch {
    missed += asked.length;
    tell();
  }
  timer = ids.length ? setTimeout(fetchRows, EVERY_MS) : 0;
  if (Date.now() - drawn > BARS_MS && !document.hidden) drawBars();
}

function tell() {
  pill.hidden = !held.length && !missed;
  const lost = missed ? `, ${missed} more came too fast: reload to see them` : "";
  pill.textContent = `${held.length} new line${held.length === 1 ? "" : "s"}${lost}`;
}

function release() {
  if (held.length) part("empty")?.remove();
  for (const row of held) {
    for (const hidden of row.querySelectorAll("[data-needs-script]")) hidden.hidden = false;
  }
  list.prepend(...held.splice(0));
  while (list.children.length > MOST_LINES) list.lastElementChild.remove();
  tell();
}

async function drawBars() {
  drawn = Date.now();
  const answer = await fetch(location.href, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("log-histogram");
  if (fresh) part("histogram").replaceChildren(...fresh.childNodes);
}

if (list?.dataset.stream) {
  follow.addEventListener("click", start);
  pause.addEventListener("click", () => {
    paused = true;
    pause.hidden = true;
    follow.hidden = false;
    state.textContent = "Paused";
  });
  follow.addEventListener("click", () => { if (stream) state.textContent = "Following"; });
  pill.addEventListener("click", () => {
    if (missed) return location.reload();
    release();
    list.scrollIntoView({ block: "nearest" });
  });
  window.addEventListener("pagehide", () => stream?.close());
}

/* A bar, or those that the pointer is dragged over, become the range of time. */
let from = null;
const bars = (event) => event.target.closest?.(".log-bars");

function place(svg, event) {
  const box = svg.getBoundingClientRect();
  const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.9999);
  return Math.floor(share * Number(svg.dataset.count));
}

function mark(svg, event) {
  const [first, last] = [from, place(svg, event)].sort((a, b) => a - b);
  svg.querySelector(".log-span")?.remove();
  const span = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ class: "log-span", x: first * 10, width: (last - first + 1) * 10, height: 64 })) {
    span.setAttribute(name, value);
  }
  svg.append(span);
  return [first, last];
}

document.addEventListener("pointerdown", (event) => {
  const svg = bars(event);
  if (!svg || event.button) return;
  from = place(svg, event);
  svg.setPointerCapture(event.pointerId);
});
document.addEventListener("pointermove", (event) => { if (from !== null && bars(event)) mark(bars(event), event); });
document.addEventListener("pointercancel", () => { from = null; });
document.addEventListener("pointerup", (event) => {
  const svg = bars(event);
  if (from === null || !svg) { from = null; return; }
  const [first, last] = mark(svg, event), begin = Number(svg.dataset.from), step = Number(svg.dataset.step);
  from = null;
  const to = new URL(location.href);
  for (const name of ["range", "before", "around"]) to.searchParams.delete(name);
  to.searchParams.set("from", new Date(1000 * (begin + first * step)).toISOString());
  to.searchParams.set("to", new Date(1000 * (begin + (last + 1) * step) - 1).toISOString());
  location.assign(to);
});
