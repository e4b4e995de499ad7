"""How ticks become bytes (contract: signals §9.1). No Django here."""
