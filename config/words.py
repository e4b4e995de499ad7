"""The one table of words and looks that the pages use for values of the API.

A state is never told by colour alone: each has a tone (colour), a shape and a word. Other code asks
`word(kind, value)`; an unlisted value keeps its own text with the look of "unknown", so that it is shown, not hidden.
"""

from dataclasses import dataclass

SHAPES = {
    "good": "●",
    "warning": "◆",
    "bad": "▲",
    "maintenance": "■",
    "paused": "‖",
    "unknown": "○",
    "progress": "○",  # a result not known yet; the accent colour tells it from "unknown"
}


@dataclass(frozen=True)
class Word:
    """What a page shows for one value: `text` with a capital first letter, `tone` a key of SHAPES."""

    text: str
    tone: str

    @property
    def shape(self) -> str:
        return SHAPES[self.tone]


WORDS: dict[str, dict[str, Word]] = {
    "instance": {
        "running": Word("Running", "good"),
        "suspended": Word("Suspended", "paused"),
        "stopped": Word("Stopped", "paused"),
        "deploying": Word("Deploying", "progress"),
        "destroying": Word("Destroying", "progress"),
        "destroyed": Word("Destroyed", "unknown"),
        "error": Word("Error", "bad"),
        "unknown": Word("Unknown", "unknown"),
        "silent": Word("Silent", "bad"),
    },
    "monitor": {
        "pass": Word("Passing", "good"),
        "slow": Word("Slow", "warning"),
        "fail": Word("Failing", "bad"),
        "error": Word("Error", "bad"),
        "timeout": Word("Timed out", "bad"),
        "cancelled": Word("Cancelled", "unknown"),
        "running": Word("Running", "progress"),
        "queued": Word("Queued", "progress"),
        "maintenance": Word("Maintenance", "maintenance"),
        "paused": Word("Paused", "paused"),
        "": Word("Not run yet", "unknown"),
    },
    "run": {
        "queued": Word("Queued", "progress"),
        "running": Word("Running", "progress"),
        "pass": Word("Pass", "good"),
        "fail": Word("Fail", "bad"),
        "error": Word("Error", "bad"),
        "timeout": Word("Timed out", "bad"),
        "cancelled": Word("Cancelled", "unknown"),
    },
    "load": {
        "pending": Word("Waiting", "progress"),
        "running": Word("Running", "progress"),
        "completed": Word("Completed", "good"),
        "passed": Word("Passed", "good"),
        "missed": Word("Limits missed", "bad"),
        "failed": Word("Failed", "bad"),
        "stopped": Word("Stopped", "paused"),
        "better": Word("Better", "good"),
        "same": Word("Same", "unknown"),
        "worse": Word("Worse", "bad"),
    },
    "service": {
        "up": Word("Works", "good"),
        "down": Word("Does not work", "bad"),
        "unknown": Word("Unknown", "unknown"),
    },
    "note": {
        "info": Word("Information", "unknown"),
        "problem": Word("Problem", "bad"),
        "maintenance": Word("Maintenance", "maintenance"),
        "solved": Word("Solved", "good"),
    },
    "alert": {
        "active": Word("Open", "bad"),
        "open": Word("Open", "bad"),
        "acknowledged": Word("Acknowledged", "warning"),
        "silenced": Word("Silenced", "maintenance"),
        "resolved": Word("Resolved", "good"),
    },
    "command": {
        "pending": Word("Waiting", "progress"),
        "running": Word("Running", "progress"),
        "succeeded": Word("Succeeded", "good"),
        "failed": Word("Failed", "bad"),
        "timeout": Word("Timed out", "bad"),
    },
    "approval": {
        "waiting": Word("Waiting for approval", "warning"),
        "approved": Word("Approved", "good"),
        "rejected": Word("Rejected", "bad"),
        "expired": Word("Not approved in time", "unknown"),
    },
    "signal": {
        "pending": Word("Pending", "progress"),
        "running": Word("Running", "good"),
        "paused": Word("Paused", "paused"),
        "held": Word("Held", "paused"),
        "unresolved": Word("Unresolved", "warning"),
        "finished": Word("Finished", "unknown"),
        "degraded": Word("Degraded", "bad"),
    },
    "drill": {
        "running": Word("Running", "progress"),
        "passed": Word("Passed", "good"),
        "failed": Word("Failed", "bad"),
    },
    "replay": {
        "created": Word("New", "progress"),
        "configured": Word("Open", "good"),
        "closed": Word("Closed", "unknown"),
        "hit": Word("Answered", "good"),
        "miss": Word("Passed on", "unknown"),
        "refused": Word("Refused", "bad"),
        "error": Word("Error by rule", "warning"),
    },
    "verdict": {
        "true": Word("True", "bad"),
        "pending": Word("Pending", "warning"),
        "false": Word("Not true", "good"),
        "stale": Word("Stale", "unknown"),
        "no_data": Word("No data", "unknown"),
    },
    "severity": {
        "critical": Word("Critical", "bad"),
        "high": Word("High", "bad"),
        "medium": Word("Medium", "warning"),
        "warning": Word("Warning", "warning"),
        "low": Word("Low", "unknown"),
        "info": Word("Info", "unknown"),
    },
    "finding": {
        "open": Word("Open", "bad"),
        "acknowledged": Word("Acknowledged", "warning"),
        "fixed": Word("Fixed", "good"),
        "false_positive": Word("False positive", "unknown"),
    },
    "control": {
        "true": Word("Holds", "good"),
        "false": Word("Does not hold", "bad"),
    },
    "rotation": {
        "overdue": Word("Overdue", "bad"),
        "soon": Word("Due soon", "warning"),
        "current": Word("In time", "good"),
    },
    "ssh_key": {
        "active": Word("Active", "good"),
        "revoked": Word("Revoked", "unknown"),
        "expired": Word("Expired", "warning"),
    },
    "budget": {
        "ok": Word("Within", "good"),
        "warning": Word("Nearly used up", "warning"),
        "exceeded": Word("Exceeded", "bad"),
    },
    "agent": {
        "online": Word("Online", "good"),
        "offline": Word("Offline", "bad"),
    },
    "secret": {
        "current": Word("In use", "good"),
        "asked": Word("To be rotated", "warning"),
        "expiring": Word("Expires soon", "warning"),
        "expired": Word("Expired", "bad"),
    },
    "key": {
        "active": Word("Active", "good"),
        "expiring": Word("Expires soon", "warning"),
        "expired": Word("Expired", "unknown"),
        "revoked": Word("Revoked", "unknown"),
    },
    "integration": {
        "configured": Word("Configured", "good"),
        "missing": Word("Not configured", "unknown"),
    },
    "user": {
        "active": Word("Active", "good"),
        "inactive": Word("Off", "paused"),
    },
    "role": {
        "viewer": Word("Viewer", "unknown"),
        "developer": Word("Developer", "unknown"),
        "operator": Word("Operator", "unknown"),
        "admin": Word("Admin", "unknown"),
    },
    "delivery": {
        "pending": Word("Waiting", "progress"),
        "sent": Word("Delivered", "good"),
        "delivered": Word("Delivered", "good"),
        "retrying": Word("Trying again", "warning"),
        "failed": Word("Failed", "bad"),
        "skipped": Word("Skipped", "unknown"),
    },
    "health": {
        "ok": Word("Working", "good"),
        "late": Word("Late", "warning"),
        "down": Word("Not working", "bad"),
        "off": Word("Off", "paused"),
        "unknown": Word("Unknown", "unknown"),
    },
    "enabled": {
        "true": Word("On", "good"),
        "false": Word("Off", "paused"),
    },
    "event": {
        "deploy": Word("Registered", "progress"),
        "redeploy": Word("Redeployed", "progress"),
        "connect": Word("Connected", "good"),
        "disconnect": Word("Disconnected", "unknown"),
        "backup": Word("Backup", "progress"),
        "restore": Word("Restore", "progress"),
        "destroy": Word("Removed", "warning"),
        "suspend": Word("Suspended", "paused"),
        "resume": Word("Resumed", "good"),
        "extension_install": Word("Extension installed", "progress"),
        "extension_remove": Word("Extension removed", "unknown"),
        "heartbeat_lost": Word("Heartbeat lost", "bad"),
        "heartbeat_recovered": Word("Heartbeat recovered", "good"),
        "error": Word("Error", "bad"),
    },
    "extension": {
        "healthy": Word("Healthy", "good"),
        "degraded": Word("Degraded", "warning"),
        "installing": Word("Installing", "progress"),
        "stalled": Word("Stalled", "warning"),
        "error": Word("Error", "bad"),
        "unknown": Word("Unknown", "unknown"),
    },
    "level": {
        "debug": Word("Debug", "unknown"),
        "info": Word("Info", "unknown"),
        "warn": Word("Warning", "warning"),
        "error": Word("Error", "bad"),
    },
}


def word(kind: str, value: object) -> Word:
    """The word for an API value of that kind, in any letter case; None counts as the empty value."""
    key = "" if value is None else str(value).lower()
    known = WORDS.get(kind, {}).get(key)
    return known or Word(key.replace("_", " ").capitalize() or "Unknown", "unknown")
