"""Agents over HTTP: `views` for people, `remote` for the agents themselves, `inputs` for what both send."""
