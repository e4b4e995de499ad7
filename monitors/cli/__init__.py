"""`pharos monitors …`: monitors from the command line, over HTTP, without Django (user experience §9)."""
