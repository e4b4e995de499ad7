"""The project: settings, what starts it, and what every app may use."""

import gc

# What is loaded stays. To look through it for cycles after each 700 new objects takes a seventh of a start.
gc.set_threshold(20_000, 20, 50)
