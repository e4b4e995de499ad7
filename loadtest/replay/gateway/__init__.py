"""The replay gateway (contract: traffic replay §12): a proxy that captures HTTP traffic and answers from a session.

A process of its own on aiohttp, and a plain client of `/v1/inject` and `/v1/traces`. Knows no Django.
"""
