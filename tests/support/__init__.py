"""What tests and benchmarks stand on: throw-away servers and the real product started from outside."""
