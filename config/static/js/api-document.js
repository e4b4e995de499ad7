/* The operations of one API, drawn by Swagger UI from the product's own OpenAPI document. */
const root = document.documentElement;
const place = document.getElementById("api-document");
const system = matchMedia("(prefers-color-scheme: dark)");

function follow() {
  const { theme } = root.dataset;
  root.classList.toggle("dark-mode", theme === "dark" || (theme === "system" && system.matches));
}

follow();
document.addEventListener("themechange", follow);
SwaggerUIBundle({
  url: place.dataset.src,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
