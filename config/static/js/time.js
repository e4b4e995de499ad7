/* Keeps `<time data-relative>` fresh; the rules are those of config/formats.py. */

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

function update() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const age = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const text = relative(age);
    if (time.textContent !== text) time.textContent = text;
    if (time.dataset.staleAfter) time.closest(".may-stale")?.classList.toggle("stale", age > Number(time.dataset.staleAfter));
  }
}

update();
setInterval(update, 1000);
document.addEventListener("visibilitychange", update);
document.addEventListener("htmx:afterSettle", update);
