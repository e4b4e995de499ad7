"""The codes of a second factor: those of a generator (RFC 6238, 30 s, six digits) and those for the day it is lost."""

import hmac
import secrets
from datetime import datetime
from hashlib import sha256
from io import BytesIO

ISSUER = "Pharos"
STEP_S, TOLERANCE = 30, 1
RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
GROUPS, GROUP = 4, 4  # 79 bits: a plain digest hides them


def new_secret() -> str:
    """A generator's secret: 160 random bits in base32."""
    import pyotp

    return pyotp.random_base32()


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step, one early or late at most, whose code this is; None when it is no such code."""
    import pyotp

    generator, current = pyotp.TOTP(secret, interval=STEP_S), int(now.timestamp()) // STEP_S
    for step in range(current - TOLERANCE, current + TOLERANCE + 1):
        if hmac.compare_digest(generator.generate_otp(step).encode(), code.encode(errors="replace")):
            return step
    return None


def address_of(secret: str, *, email: str) -> str:
    """The `otpauth://` address that a QR code holds for the person's app."""
    import pyotp

    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=email, issuer_name=ISSUER)


def picture_of(address: str) -> str:
    """The QR code as an SVG element without styles or scripts."""
    import segno

    drawn = BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=True, scale=5, border=4, light="#fff", title="QR code of the secret",
        omitsize=False, svgclass="qr-code", lineclass=None,
    )  # fmt: skip
    return drawn.getvalue().decode()


def new_recovery_codes() -> list[str]:
    """Ten fresh codes, such as `abcd-efgh-jkmn-pqrs`."""
    return [
        "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def digest_of(code: str, *, user_id: str) -> str:
    """What is kept of a recovery code; however its letters were typed."""
    letters = "".join(letter for letter in code.lower() if letter in LETTERS)
    return sha256(f"{user_id}:{letters}".encode()).hexdigest()
