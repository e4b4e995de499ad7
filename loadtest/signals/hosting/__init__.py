"""Scenarios and the processes that run them: who has which row, and what their reports become."""
