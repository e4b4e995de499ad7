"""Sessions: their documents, revision, counters and end (contract: traffic replay §4 and §5)."""
