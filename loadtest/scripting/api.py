"""`/scripting` (contract: load testing §15.6)."""

from rest_framework.request import Request
from rest_framework.response import Response

from config.api.permissions import VIEWER
from loadtest.views import LoadtestView, documented
from loadtest.workspace.shapes import TEXT, WHOLE, listed, record

from .completions import completions

_ITEM = record(
    label=TEXT,
    kind=WHOLE,
    insertText=TEXT,
    detail=TEXT,
    documentation=TEXT,
    sortText=TEXT,
    filterText=TEXT,
    insertTextRules=WHOLE,
)


class Completions(LoadtestView):
    """What the script editor offers."""

    roles = {"get": VIEWER}

    @documented(answer=record(version=TEXT, engine=TEXT, completions=listed(_ITEM)))
    def get(self, request: Request) -> Response:
        return Response(completions())
