"""What gateways and proxies ask while traffic flows: `/v1/inject` and `/v1/traces` (contract: traffic replay §8)."""
