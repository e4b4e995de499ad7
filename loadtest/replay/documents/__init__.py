"""The documents of replay: their published JSON Schemas and what is wrong with one (contract: traffic replay §6)."""
