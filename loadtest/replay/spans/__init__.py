"""OTLP spans that carry an HTTP exchange (contract: traffic replay §6.1 and §8). No Django, no database.

`reading.parse` turns a body into a trace document, `exchanges` turns its spans into `Exchange` values, `hits` writes
the answer of `/v1/inject`, `writing` makes a trace document of an exchange.
"""
