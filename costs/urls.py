"""Routes of the app: its part of `/api/v1`, and pages."""

api_v1: list = []
pages: list = []
