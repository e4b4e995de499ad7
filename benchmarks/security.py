"""What security promises in figures: secrets re-wrapped under load, packages matched, the audit log verified.

Each part makes what it measures; the parts may also run alone: `python -m benchmarks._security_vault`,
`_security_matching`, `_security_audit` with DATABASE_URL of an empty PostgreSQL database. Name some to run only those.
"""

import sys
from importlib import import_module

PARTS = ("vault", "audit", "matching")


def main() -> None:
    wanted = sys.argv[1:] or PARTS
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"Unknown part {', '.join(sorted(unknown))}. There are {', '.join(PARTS)}.")
    missed = []
    for name in wanted:
        print(f"\n=== {name}", flush=True)
        try:
            import_module(f"benchmarks._security_{name}").main()
        except SystemExit as end:
            if end.code:
                missed.append(name)
    if missed:
        sys.exit(f"Missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
