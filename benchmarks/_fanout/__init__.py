"""The product beside a consumer on the stock channel layer, and many clients."""
