"""Routes of the app: `/api/v1` and pages."""

api_v1: list = []
pages: list = []
