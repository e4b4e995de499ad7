"""The public page, and its settings."""
