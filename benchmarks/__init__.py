"""Benchmarks: `make bench NAME=…` runs benchmarks/NAME.py, which prints its ratios last."""
