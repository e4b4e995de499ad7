"""The sink `platform`: synthetic data in our own metrics and logs, marked as such (contract: signals §9.2)."""
