"""Which rule answers a request, and why another one did not (contract: traffic replay §7). Pure functions.

`compiled.compile_rules` once a revision, `deciding.decide` for each request, `near_misses.explain` for people,
`recordings.Recordings` for the action `replay`, `redaction.scrub` before anything is kept.
"""
