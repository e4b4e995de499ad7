/* The charts of a load run while it lasts. Ticks come over the run's own event stream; each chart gets its new points
   at most four times a second as the DOM event `live:load-chart-<name>`, which charts.js draws. */

const told = JSON.parse(document.getElementById("load-stream").textContent);
const SPACING_S = 0.25;
let before = told.before; // the tick up to which points were made
let newest = null;
let over = false;

const member = (tick, path) => {
  const [first, key] = path.split(".");
  const value = tick[first];
  return key && value ? value[key] ?? 0 : value;
};

function read(line, tick) {
  const field = line.fields.find((name) => member(tick, name) !== undefined && member(tick, name) !== null);
  if (!field) return null;
  const value = member(tick, field);
  if (line.unknown_at_0 && !value) return null;
  return line.less ? Math.max(0, value - (member(tick, line.less) ?? 0)) : value;
}

/* The same rules as in loadtest/runs/plots.py: a counter becomes a rate between two ticks. */
function point(line, tick) {
  const value = read(line, tick);
  if (!line.counter) return [tick.timestamp / 1000, value];
  if (!before || value === null) return null;
  return [tick.timestamp / 1000, Math.max(0, value - (read(line, before) ?? 0)) / (tick.elapsedSeconds - before.elapsedSeconds)];
}

function tell() {
  if (!newest || (before && newest.elapsedSeconds <= before.elapsedSeconds)) return;
  for (const chart of told.charts) {
    const points = {};
    for (const line of chart.lines) {
      const made = point(line, newest);
      if (made) points[line.label] = [made];
    }
    document.dispatchEvent(new CustomEvent(`live:load-chart-${chart.name}`, { detail: { points } }));
  }
  before = newest;
}

function show(text, tone, shape) {
  const chip = document.querySelector("[data-stream-state]");
  if (!chip) return;
  chip.hidden = false;
  chip.className = `chip tone-${tone}`;
  chip.replaceChildren(Object.assign(document.createElement("span"), { ariaHidden: "true", textContent: shape }), ` ${text}`);
}

function refetch() {
  for (const part of document.querySelectorAll("#load-now, #load-findings")) {
    htmx.ajax("GET", told.parts[part.id], { source: part, target: part, swap: "morph:outerHTML" }).catch(() => {});
  }
}

const source = new EventSource(told.url);
source.addEventListener("open", () => show("Live", "good", "●"));
source.addEventListener("metrics", ({ data }) => {
  const tick = JSON.parse(data);
  newest = tick;
  if (!before || tick.elapsedSeconds - before.elapsedSeconds >= SPACING_S) tell();
});
source.addEventListener("complete", () => {
  over = true;
  source.close();
  tell();
  document.dispatchEvent(new CustomEvent("live:refetch"));
  refetch();
  document.getElementById("announcer").textContent = "The run is over.";
});
source.addEventListener("error", () => {
  if (over) return;
  show(source.readyState === EventSource.CLOSED ? "Not live" : "Reconnecting…", "unknown", "○");
  if (source.readyState === EventSource.CLOSED) setTimeout(refetch, 2000); // over and gone, or not allowed any more
});
window.addEventListener("pagehide", () => source.close());
