/* The operations of one API, drawn by Swagger UI from the product's own OpenAPI document. */
const place = document.getElementById("api-document");
SwaggerUIBundle({
  url: place.dataset.src,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
