"""What a password must be like.

People choose theirs on our pages, which ask for 12 characters. The API keeps the 8 of its contract (fleet console
§33.2), so that scripts written for it go on working. The other rules hold at every door: no password that everybody
uses, none that is only digits, none that looks like the person's name or address.
"""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from config.api.errors import Invalid
from security.accounts.models import User

LEAST, API_LEAST, MOST = 12, 8, 128
RULES = (
    f"At least {LEAST} characters. Not one that everybody uses, not only digits, not like the name or address."
    " A few words in a row are easy to keep."
)


def check(password: str, *, user: User, field: str = "password", least: int = LEAST) -> None:
    """Raise Invalid with a sentence at `field` for each rule that the password breaks."""
    faults = []
    if not least <= len(password) <= MOST:
        faults.append(f"The password must have {least} to {MOST} characters.")
    try:
        validate_password(password[:MOST], user)
    except ValidationError as error:
        faults += error.messages
    if faults:
        raise Invalid("The password is not good enough", details={field: faults})
