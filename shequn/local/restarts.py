"""When a crashed process is started again, and when it is given up. Pure."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How crashes are answered.

    Attributes:
        first_delay: seconds before the first restart.
        factor: each further crash in a row multiplies the delay by this.
        longest_delay: cap of the delay, seconds.
        crashes: this many in a row within `within` seconds, and the process has failed.
        within: seconds.
        stable_after: a process that was ready this many seconds starts a new row.
    """

    first_delay: float = 0.1
    factor: float = 2.0
    longest_delay: float = 10.0
    crashes: int = 5
    within: float = 60.0
    stable_after: float = 20.0


@dataclass(slots=True)
class CrashHistory:
    """The crashes in a row of one process."""

    policy: RestartPolicy
    _times: deque[float] = field(default_factory=deque)
    _in_a_row: int = 0

    def record(self, now: float, ready_seconds: float) -> float | None:
        """Note a crash; the seconds to wait before the restart, or None to give up.

        Args:
            now: a monotonic clock, seconds.
            ready_seconds: how long the process had been ready; 0 if it never was.
        """
        policy = self.policy
        if ready_seconds >= policy.stable_after:
            self._times.clear()
            self._in_a_row = 0
        self._times.append(now)
        self._in_a_row += 1
        while self._times[0] < now - policy.within:
            self._times.popleft()
        if len(self._times) >= policy.crashes:
            return None
        delay = policy.first_delay * policy.factor ** (self._in_a_row - 1)
        return min(delay, policy.longest_delay)
