"""What is at risk on the demo machines: packages, advisories that exist nowhere else, secrets, rotations, keys.

All names of packages and advisories begin with "demo": nothing here says anything of a real package, and no advisory of
a real one says anything of these.
"""

from typing import NamedTuple

PACKAGES = {  # by role: name, ecosystem, version, licence
    "web": (
        ("demo-web-server", "Debian:12", "2.4.62", "Apache-2.0"),
        ("demo-tls", "Debian:12", "3.0.15", "Apache-2.0"),
        ("demo-storefront", "npm", "7.3.1", "MIT"),
        ("demo-markdown", "npm", "5.2.0", "MIT"),
        ("demo-images", "npm", "1.9.4", "BSD-3-Clause"),
    ),
    "api": (
        ("demo-tls", "Debian:12", "3.0.15", "Apache-2.0"),
        ("demo-framework", "PyPI", "4.2.16", "BSD-3-Clause"),
        ("demo-json", "PyPI", "1.8.0", "MIT"),
        ("demo-queue", "PyPI", "5.4.0", "BSD-3-Clause"),
    ),
    "db": (
        ("demo-tls", "Debian:12", "3.0.15", "Apache-2.0"),
        ("demo-database", "Debian:12", "15.8", "PostgreSQL"),
        ("demo-backup", "Debian:12", "2.51", None),
    ),
}


class Advisory(NamedTuple):
    """An advisory about one package: the versions that it affects, and the one that mends them."""

    package: str
    ecosystem: str
    affected: tuple[str, ...]
    fixed: str | None
    severity: str
    score: float | None
    vector: str
    title: str


V = "CVSS:3.1/AV:N/AC:"
ADVISORIES = (
    Advisory("demo-web-server", "Debian:12", ("2.4.49",), "2.4.51", "CRITICAL", 9.8, V + "L/PR:N/UI:N/S:U/C:H/I:H/A:H",
             "Requests reach files outside the published folders"),
    Advisory("demo-tls", "Debian:12", ("3.0.2",), "3.0.7", "HIGH", 7.5, V + "L/PR:N/UI:N/S:U/C:N/I:N/A:H",
             "A crafted certificate ends the process"),
    Advisory("demo-framework", "PyPI", ("4.2.1",), "4.2.7", "HIGH", 8.1, V + "H/PR:N/UI:N/S:U/C:H/I:H/A:H",
             "Order by a column of the request reaches the database unchecked"),
    Advisory("demo-database", "Debian:12", ("15.2",), "15.4", "MEDIUM", 5.4, V + "L/PR:L/UI:N/S:U/C:L/I:L/A:N",
             "A view may show rows that row security hides"),
    Advisory("demo-markdown", "npm", ("5.0.1",), "5.0.4", "MEDIUM", 6.1, V + "L/PR:N/UI:R/S:C/C:L/I:L/A:N",
             "A link in a comment can carry a script"),
    Advisory("demo-json", "PyPI", ("1.7.1",), "1.7.3", "LOW", 3.7, V + "H/PR:N/UI:N/S:U/C:N/I:N/A:L",
             "Deeply nested documents take long to read"),
    Advisory("demo-images", "npm", ("1.8.0",), None, "UNKNOWN", None, "",
             "An image may be read beyond its end"),
)  # fmt: skip


class Found(NamedTuple):
    """A finding: on which machine, from which advisory, since how many days, and what was decided why."""

    machine: str
    advisory: int
    days: int
    status: str = "OPEN"
    reason: str = ""


FINDINGS = (
    Found("demo-fra-web-1", 0, 2),
    Found("demo-iad-web-1", 0, 20, "FIXED", "demo-web-server 2.4.49 is no longer installed"),
    Found("demo-sin-db-1", 1, 41),  # overdue
    Found("demo-gru-db-1", 1, 12, "ACKNOWLEDGED", "The update is planned for the next maintenance window."),
    Found("demo-lax-api-1", 2, 33, "FIXED", "demo-framework 4.2.1 is no longer installed"),
    Found("demo-iad-db-1", 3, 25),
    Found("demo-syd-db-1", 3, 25, "FALSE_POSITIVE", "No view with row security exists there."),
    Found("demo-fra-web-2", 4, 8),
    Found("demo-lax-web-1", 4, 60, "FIXED", "demo-markdown 5.0.1 is no longer installed"),
    Found("demo-gru-api-1", 5, 15),
    Found("demo-sin-api-1", 5, 15),
    Found("demo-lax-web-2", 6, 3),
)


class Named(NamedTuple):
    """A secret: its type, the machine, and in how many days it expires."""

    name: str
    type: str
    machine: str
    expires: int | None
    about: str


SECRETS = (
    Named("demo.database-password", "ENV_VAR", "demo-fra-db-1", None, "The shop's database"),
    Named("demo.payment-key", "API_KEY", "demo-fra-api-1", 9, "The payment provider"),
    Named("demo.web-certificate", "CERTIFICATE", "demo-fra-web-1", 61, "The front page's certificate"),
    Named("demo.mail-token", "API_KEY", "demo-iad-api-1", -3, "The mail relay, expired"),
    Named("demo.report-config", "FILE", "demo-sin-db-1", None, "Settings of the nightly report"),
)
# Secret, kind, machine, days between rotations, days since the last one (None: never).
ROTATIONS = (
    ("database-password", "password", "demo-fra-db-1", 90, 31),
    ("payment-key", "API key", "demo-fra-api-1", 30, 24),
    ("backup-passphrase", "passphrase", "demo-sin-db-1", 180, 201),
    ("web-certificate", "certificate", "demo-fra-web-1", 90, 29),
    ("mail-token", "API key", "demo-iad-api-1", 60, 12),
)
# Comment, type, bits, machine, accounts, days since it is known, days since it was used, days until it expires.
SSH_KEYS = (
    ("deploy@demo-ci", "ssh-ed25519", 256, "demo-fra-web-1", ("deploy",), 140, 0, None),
    ("deploy@demo-ci", "ssh-ed25519", 256, "demo-fra-api-1", ("deploy",), 140, 0, None),
    ("backup@demo-vault", "ssh-rsa", 1024, "demo-fra-db-1", ("backup",), 1460, 1, None),
    ("operator@demo-laptop", "ecdsa-sha2-nistp256", 256, "demo-iad-web-1", ("root", "deploy"), 300, 6, 65),
    ("contractor@demo-laptop", "ssh-ed25519", 256, "demo-lax-api-1", ("deploy",), 200, 95, -20),
    ("former@demo-laptop", "ssh-rsa", 4096, "demo-gru-web-1", ("deploy",), 800, None, None),
)
REVOKED = "former@demo-laptop"
