"""Routes of the app: `/api/replay`, the same at the root (`/v1`), and pages."""

api_replay: list = []
at_the_root: list = []
pages: list = []
