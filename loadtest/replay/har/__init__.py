"""HAR 1.2 in and out (contract: traffic replay §12, table of HAR and span)."""
