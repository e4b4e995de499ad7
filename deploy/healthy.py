"""Exit 0 when the address answers 2xx within 4 s, else 1: a health check that needs no other program."""

import sys
from urllib.error import URLError
from urllib.request import urlopen

try:
    with urlopen(sys.argv[1], timeout=4):  # noqa: S310 - the address comes from our own files
        sys.exit(0)
except (URLError, TimeoutError, ConnectionError) as error:
    sys.exit(f"{sys.argv[1]}: {error}")
