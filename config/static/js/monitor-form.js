/* The form of a monitor: line numbers beside a script, and schedules that are filled in by a button.

   The textarea stays what it is: it is sent, it is read, it is focused. The numbers lie beside it for the eye only. */

for (const area of document.querySelectorAll("textarea[data-editor]")) number(area);

function number(area) {
  const frame = document.createElement("div");
  const lines = document.createElement("pre");
  frame.className = "editor";
  lines.ariaHidden = "true";
  area.before(frame);
  frame.append(lines, area);
  let shown = 0;
  const draw = () => {
    const count = area.value.split("\n").length;
    if (count !== shown) lines.textContent = Array.from({ length: count }, (_, index) => index + 1).join("\n");
    shown = count;
    lines.scrollTop = area.scrollTop;
  };
  area.addEventListener("input", draw);
  area.addEventListener("scroll", () => { lines.scrollTop = area.scrollTop; });
  new ResizeObserver(() => { lines.style.height = `${area.offsetHeight}px`; draw(); }).observe(area);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-fill]");
  if (!button) return;
  const field = document.getElementById(button.dataset.fill);
  field.value = button.dataset.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
