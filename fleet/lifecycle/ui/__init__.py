"""Pages that act on instances."""
