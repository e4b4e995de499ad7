"""`pharos gateway ca`: the certificate that an app must trust where its HTTPS is opened."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from config.client import FAILED, FINE
from loadtest.replay.gateway.authority import Authority, AuthorityFault, folder


def main(arguments: Sequence[str]) -> int:
    """Print or write the certificate, never the key; the exit code."""
    parser = argparse.ArgumentParser(
        prog="pharos gateway ca",
        description="Print the certificate of this installation's own CA as PEM. It is made when there is none yet.",
        epilog="examples:\n  pharos gateway ca --out ca.pem\n  SSL_CERT_FILE=ca.pem your-app",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--out", metavar="FILE", help="write it there")
    parser.add_argument("--ca-dir", type=Path, metavar="DIR", help="where the CA lives")
    options = parser.parse_args(arguments)
    try:
        pem = Authority.at(options.ca_dir or folder()).pem
        if options.out:
            Path(options.out).write_bytes(pem)
        else:
            sys.stdout.write(pem.decode())
    except (AuthorityFault, OSError) as fault:
        sys.stderr.write(f"pharos gateway ca: {fault}\n")
        return FAILED
    return FINE
