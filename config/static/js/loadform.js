/* The load form shows the fields of the chosen mode only; without this script all are shown and the others ignored. */

const form = document.getElementById("load");

function showFields() {
  const mode = new FormData(form).get("mode");
  for (const part of form.querySelectorAll("[data-modes]")) part.hidden = !part.dataset.modes.split(" ").includes(mode);
}

form.addEventListener("change", showFields);
showFields();
