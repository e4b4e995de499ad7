"""The product's version, read from the installed distribution so that it is written once."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    for name in ("pharos", "pharos-monitor-agent"):  # the agent's package holds a part of the same code
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "0.0.0"  # a source tree that was not installed


VERSION = _installed()
REPLAY_SPEC = "http-control-api@v1"  # what clients of replay ask for (contract: traffic replay §5)
REPLAY_SCHEMAS = "1"
