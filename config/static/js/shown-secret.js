/* A revealed value goes by itself; the reader may prolong it. Nothing of it stays in the page when that is left. */

const box = document.querySelector("[data-shown-s]");
const left = box.querySelector("[data-left]"), announcer = document.getElementById("announcer");
const SPAN_MS = Number(box.dataset.shownS) * 1000, WARN_S = 10;
let ends = Date.now() + SPAN_MS, warned = false;

function hide() {
  clearInterval(timer);
  box.remove();
  location.replace(box.dataset.back);
}

function tell() {
  const seconds = Math.ceil((ends - Date.now()) / 1000);
  if (seconds <= 0) return hide();
  left.textContent = `This page closes in ${seconds} s.`;
  if (seconds <= WARN_S && !warned) {
    warned = true;
    announcer.textContent = `The value is hidden in ${seconds} seconds. You can show it longer.`;
  }
}

box.querySelector("[data-prolong]").addEventListener("click", () => {
  ends += SPAN_MS;
  warned = false;
  tell();
});
box.querySelector("[data-hide]").addEventListener("click", (event) => { event.preventDefault(); hide(); });
addEventListener("pagehide", () => box.remove());
document.addEventListener("visibilitychange", tell); // timers sleep in a hidden tab
const timer = setInterval(tell, 1000);
tell();
