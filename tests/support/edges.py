"""An import-linter contract: edges (api, ui, consumers, streams, tasks) stay inside their slice."""

from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class EdgesContract(Contract):
    """Kept when no module imports an edge of another slice; an app's registration files may."""

    type_name = "edges"

    edges: Any = fields.ListField(subfield=fields.StringField())
    registrations: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        broken = [
            (importer, edge)
            for edge in sorted(graph.modules)
            if self._slice_of_edge(edge)
            for importer in sorted(graph.find_modules_that_directly_import(edge))
            if not self._may_import(importer, edge)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, edge in check.metadata["broken"]:
            output.print_error(f"{importer} imports {edge}: call a service or a query of that slice instead")

    def _slice_of_edge(self, module: str) -> str | None:
        """The slice that an edge belongs to; None for a module that is no edge.

        `fleet.metrics.api.views` is an edge of `fleet.metrics`; what lies in an app's root is of no slice.
        """
        parts = module.split(".")
        for depth, part in enumerate(parts):
            if part in self.edges and depth >= 2:
                return ".".join(parts[:depth])
        return None

    def _may_import(self, importer: str, edge: str) -> bool:
        home = f"{self._slice_of_edge(edge)}."
        return importer.startswith(home) or importer.rpartition(".")[2] in self.registrations
