"""Routes of the app: `/api/v1`, `/api/auth` and pages."""

api_v1: list = []
api_auth: list = []
pages: list = []
