"""Routes of the app: `/api/v1/alerts…`, `/api/alerts` of the monitors API, and pages."""

api_v1: list = []
api_alerts: list = []
pages: list = []
