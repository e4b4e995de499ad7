"""Parts of the load engine's benchmark: the target, the generators that are compared, the product's own way."""
