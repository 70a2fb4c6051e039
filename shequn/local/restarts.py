"""When a crashed process is started again, and when it counts as one that keeps crashing. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How crashes are answered.

    Attributes:
        first_delay: seconds before the first restart.
        factor: each further crash in a row multiplies the delay by this.
        longest_delay: cap of the delay, seconds.
        crashes: after this many in a row a process counts as one that keeps crashing.
        stable_after: a process that was ready this many seconds starts a new row.
        look_every: seconds between two looks whether a ready process lives.
        looks: after this many bad looks in a row it is ended; after one that is certain at once.
    """

    first_delay: float = 0.1
    factor: float = 2.0
    longest_delay: float = 30.0
    crashes: int = 5
    stable_after: float = 20.0
    look_every: float = 5.0
    looks: int = 3


@dataclass(slots=True)
class CrashHistory:
    """The crashes in a row of one process.

    Attributes:
        in_a_row: how many there were.
        seconds: from the first to the last of them.
    """

    policy: RestartPolicy
    in_a_row: int = 0
    seconds: float = 0.0
    _first: float = 0.0
    _delay: float = 0.0

    def record(self, now: float, ready_seconds: float) -> float:
        """Note a crash; the seconds to wait before the restart.

        Args:
            now: a monotonic clock, seconds.
            ready_seconds: how long the process had been ready; 0 if it never was.
        """
        policy = self.policy
        if self.in_a_row == 0 or ready_seconds >= policy.stable_after:
            self.in_a_row, self._first, self._delay = 0, now, policy.first_delay
        else:
            self._delay *= policy.factor
        self.in_a_row += 1
        self.seconds = now - self._first
        self._delay = min(self._delay, policy.longest_delay)
        return self._delay

    def forget(self) -> None:
        """Begin a new row: the process has been stable."""
        self.in_a_row = 0

    @property
    def crashing(self) -> bool:
        """Whether the process keeps crashing."""
        return self.in_a_row >= self.policy.crashes

    def __str__(self) -> str:
        """Say how often, in how long."""
        return f"{self.in_a_row} crashes in a row within {self.seconds:.0f} s"
