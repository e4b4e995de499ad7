"""Frames of agents about commands, entered into the table of `fleet.agents.answers` when the product starts."""

from typing import Any

from fleet.agents import answers, calling
from fleet.commands import recording, reports


def output(instance_id: str, body: dict[str, Any]) -> None:
    """`command:output`: a piece of what a running command prints."""
    piece = reports.piece_of(body)
    if execution := recording.find(instance_id, piece.correlation_id):
        recording.take_piece(execution, piece)
    _confirm(instance_id, piece.correlation_id, piece.sequence)


def result(instance_id: str, body: dict[str, Any]) -> None:
    """`command:result`: how a command ended. What is not known, or settled already, changes nothing."""
    told = reports.result_of(body)
    if execution := recording.find(instance_id, told.correlation_id):
        recording.take_result(execution, told)
    _confirm(instance_id, told.correlation_id, told.sequence)


def _confirm(instance_id: str, correlation_id: str, sequence: int | None) -> None:
    """Tell an agent that counts what it sends that this is on disk, so that it need not send it again."""
    if sequence is not None:
        calling.send(instance_id, "command:received", {"command_id": correlation_id, "sequence": sequence})


answers.on("command:output", output)
answers.on("command:result", result)
