"""Routes of the app: `/api/signals`, and pages."""

api_signals: list = []
pages: list = []
