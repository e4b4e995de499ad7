"""The plain way to take in a heartbeat, as a yardstick: a DRF serializer and the ORM, one row and one commit each."""
