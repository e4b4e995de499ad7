"""A tool that does nothing in the place of `http`: what is left is the platform's own work."""
