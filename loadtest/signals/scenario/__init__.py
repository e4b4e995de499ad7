"""Scenario bodies: what they may say, and what they mean (contract: signals §4). No Django here."""
