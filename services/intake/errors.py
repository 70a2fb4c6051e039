"""What can go wrong at the door.

::

    PermanentError
    ├── UnknownChannelError     404: no channel of that name is set up
    ├── BodyTooLargeError       413
    └── BodyTooSlowError        408
    TransientError
    └── CommunityAwaitedError   503: the channel's community is not applied yet
    RequestError, ActionError   see shequn.adapters.errors: 401, 422; outcomes of actions
"""

from shequn.runtime.failures import PermanentError, TransientError, UnknownCommunityError


class UnknownChannelError(PermanentError):
    """No channel of that name is set up."""

    def __init__(self) -> None:
        """Say what to do; the name itself came from outside."""
        super().__init__("no such channel; channels are set up in SHEQUN_INTAKE_CHANNELS")


class BodyTooLargeError(PermanentError):
    """The body is longer than is taken.

    Attributes:
        hang_up: so much of it is still to come that the connection is better closed.
    """

    def __init__(self, most: int, *, hang_up: bool) -> None:
        """Name the limit, in bytes."""
        super().__init__(f"the body is longer than {most} bytes; send less at once")
        self.hang_up = hang_up


class BodyTooSlowError(PermanentError):
    """The body did not come in time."""

    def __init__(self, seconds: float) -> None:
        """Name the limit, in seconds."""
        super().__init__(f"the body did not come within {seconds:g} s")


class CommunityAwaitedError(TransientError):
    """The community that a channel is set up for is not applied yet: no fault of who sends."""

    def __init__(self, channel: str, error: UnknownCommunityError) -> None:
        """Name the channel and the community."""
        super().__init__(f"channel {channel!r}: {error}", retry_after=30.0)
