"""The product's version, read from the installed distribution so that it is written once."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("pharos")
except PackageNotFoundError:  # a source tree that was not installed
    VERSION = "0.0.0"
