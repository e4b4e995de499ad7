"""Routes of the app: `/api/monitors` and its neighbours, and pages."""

api_monitors: list = []
pages: list = []
