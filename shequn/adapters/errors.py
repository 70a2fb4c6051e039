"""What goes wrong at the border to a platform.

::

    AppError
    ├── AdapterError
    │   ├── RequestError                    what came in is refused; PermanentError
    │   │   ├── SignatureError                  401: signature missing or wrong
    │   │   │   └── StaleTimestampError         401: signed too long ago, or too far ahead
    │   │   └── MalformedError                  422: names the field
    │   └── ActionError                     what should go out did not; ``status`` says what becomes of the action
    │       ├── RateLimitedError                delayed until the platform takes more; TransientError
    │       ├── PlatformAwayError               delayed: the platform took nothing; TransientError
    │       ├── WindowClosedError               suppressed: the reply window is over
    │       ├── ForbiddenError                  failed: we may not do that there
    │       ├── AccountBannedError              failed: the platform closed our account
    │       ├── TargetGoneError                 failed: member, group or message is not there any more
    │       ├── UnsupportedActionError          failed: the platform cannot do that
    │       └── UnknownDeliveryError            unknown: it may or may not have gone out
    └── ConfigError
        └── AdapterRegistryError            exit code 2
            ├── AdapterMissingError             no installed package offers the adapter
            ├── AdapterDuplicateError           two packages offer it
            └── AdapterBrokenError              it cannot be loaded, or lacks what was asked of it
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from shequn.contracts.actions import OutcomeStatus
from shequn.runtime.failures import AppError, ConfigError, PermanentError, TransientError


class AdapterError(AppError):
    """Something went wrong between a platform and us."""


class RequestError(AdapterError, PermanentError):
    """What came in is refused."""


class SignatureError(RequestError):
    """The sender did not prove who it is. The message never holds the secret, nor the signature that was expected."""


class StaleTimestampError(SignatureError):
    """The request was signed too long ago or too far ahead: it may be a recorded one."""


class MalformedError(RequestError):
    """The body is not what the channel takes.

    Attributes:
        field: where, as a dotted path; empty when the whole body is meant.
        problem: what is wrong there; never the value, which may be private.
    """

    def __init__(self, field: str, problem: str) -> None:
        """Name the field and what is wrong."""
        super().__init__(f"{field or 'body'}: {problem}")
        self.field = field
        self.problem = problem


class ActionError(AdapterError):
    """An action did not go out as asked."""

    status: ClassVar[OutcomeStatus] = OutcomeStatus.FAILED


class RateLimitedError(ActionError, TransientError):
    """The platform takes no more for now."""

    status = OutcomeStatus.DELAYED

    def __init__(self, until: datetime, why: str = "the platform's rate limit is reached") -> None:
        """Say until when."""
        super().__init__(f"{why}; again at {until.isoformat()}")
        self.until = until


class PlatformAwayError(ActionError, TransientError):
    """The platform did not answer, and surely took nothing: trying again cannot send twice."""

    status = OutcomeStatus.DELAYED


class WindowClosedError(ActionError, PermanentError):
    """The platform lets us write only within a time after the member wrote, and that is over."""

    status = OutcomeStatus.SUPPRESSED


class ForbiddenError(ActionError, PermanentError):
    """Our account lacks the right."""


class AccountBannedError(ActionError, PermanentError):
    """The platform closed our account; everything that depends on it should pause."""


class TargetGoneError(ActionError, PermanentError):
    """The member, group or message is not there any more."""


class UnsupportedActionError(ActionError, PermanentError):
    """The platform, or this adapter, cannot do that."""


class UnknownDeliveryError(ActionError, PermanentError):
    """Nobody can tell whether it went out, so it must not be tried again."""

    status = OutcomeStatus.UNKNOWN


class AdapterRegistryError(ConfigError):
    """An adapter that the settings name cannot be had."""


class AdapterMissingError(AdapterRegistryError):
    """No installed package offers the adapter."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Name what there is instead."""
        super().__init__(
            f"no adapter {name!r} is installed; there are: {', '.join(sorted(known)) or 'none'}. Install the package "
            "that offers it, or correct the name"
        )


class AdapterDuplicateError(AdapterRegistryError):
    """Two packages offer an adapter under one name."""

    def __init__(self, name: str, offers: Iterable[str]) -> None:
        """Name both."""
        super().__init__(f"adapter {name!r} is offered more than once: {', '.join(sorted(offers))}. Uninstall one")


class AdapterBrokenError(AdapterRegistryError):
    """An adapter cannot be used."""

    def __init__(self, name: str, why: str) -> None:
        """Say why."""
        super().__init__(f"adapter {name!r} cannot be used: {why}")
