"""When ticks are due, and when a gate holds them (contract: signals §8.5, §8.7). No Django here."""
