"""What is wrong with a request that cannot be put together."""

from config.api.errors import Invalid


class ComposeError(Invalid):
    """A request that cannot be sent. `error_code` is one of §9.2's, or empty where the answer is simply 400."""

    def __init__(self, message: str, *, error_code: str = "") -> None:
        super().__init__(message)
        self.error_code = error_code
