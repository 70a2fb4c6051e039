"""Errors by what to do about them.

::

    AppError
    ├── PermanentError      trying again cannot help: dead letter, 4xx, exit code 2
    │   ├── ConfigError             a setting or file is wrong: say which, exit code 2
    │   └── UnknownCommunityError   no definition applied under that name
    └── TransientError      trying again later may help: nak with delay, 503
"""

from __future__ import annotations


class AppError(Exception):
    """An error whose message is written for the person who has to act."""


class PermanentError(AppError):
    """Trying again cannot help."""


class ConfigError(PermanentError):
    """A setting, file or argument is wrong. The message names it and says what to do."""


class UnknownCommunityError(PermanentError):
    """No definition is applied under that community's name."""

    def __init__(self, community: str, version: int | None = None) -> None:
        """Name the community, and the version when one was asked for."""
        wanted = community if version is None else f"{community} version {version}"
        super().__init__(f"no definition of community {wanted!r} is applied; run `shequn apply FOLDER` for it first")
        self.community = community


class TransientError(AppError):
    """Trying again later may help. ``retry_after`` is the least wait, in seconds."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        """Keep how long to wait."""
        super().__init__(message)
        self.retry_after = retry_after
