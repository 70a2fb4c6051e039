"""Ending a program's work cleanly on SIGINT or SIGTERM."""

import asyncio
import signal
from types import TracebackType
from typing import Self

_ENDING = (signal.SIGINT, signal.SIGTERM)


class EndedBySignals:
    """Cancels its block on SIGINT or SIGTERM, and leaves it without an error then.

    `async with EndedBySignals() as ended, LocalStack(…) as stack:` stops the stack cleanly
    whatever the moment, its start included. A second signal ends the program at once; the kernel
    then ends the processes of the stack.

    Attributes:
        signal: the signal that came, or None.
    """

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self.signal: signal.Signals | None = None
        self._task: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen. Must be in the main thread."""
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self._end, number)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Stop listening; swallow the cancellation if it is ours."""
        if self.signal is None:
            self._forget()
        ours = self.signal is not None and self._task is not None and self._task.uncancel() == 0
        return ours and kind is asyncio.CancelledError

    def _end(self, number: signal.Signals) -> None:
        self.signal = number
        self._forget()
        if self._task is not None:
            self._task.cancel()

    @staticmethod
    def _forget() -> None:
        for number in _ENDING:
            asyncio.get_running_loop().remove_signal_handler(number)
