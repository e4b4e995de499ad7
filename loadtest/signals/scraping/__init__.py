"""Scraping: new lines once, or the latest values (contract: signals §7)."""
