"""Ending a program's work cleanly on SIGINT or SIGTERM."""

import asyncio
import signal
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

_ENDING = (signal.SIGINT, signal.SIGTERM)


class EndedBySignals:
    """Cancels its block on SIGINT or SIGTERM, and leaves it without an error then.

    `async with EndedBySignals() as ended, LocalStack(…) as stack:` stops the stack cleanly
    whatever the moment, its start included. Further signals change nothing, for they often come in
    pairs (`timeout`, an impatient Ctrl-C); the program ignores them until it ends. SIGQUIT
    ends it at once; the kernel then ends the processes of the stack.

    Attributes:
        signal: the first signal that came, or None.
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
        for number in _ENDING:
            asyncio.get_running_loop().remove_signal_handler(number)
            if self.signal is not None:
                signal.signal(number, signal.SIG_IGN)
        ours = self.signal is not None and self._task is not None and self._task.uncancel() == 0
        return ours and kind is asyncio.CancelledError

    def _end(self, number: signal.Signals) -> None:
        if self.signal is None and self._task is not None:
            self.signal = number
            self._task.cancel()


async def uninterrupted(work: Coroutine[Any, Any, None]) -> None:
    """Let `work` come to its end; a cancellation waits for that."""
    task = asyncio.create_task(work)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            interruption = error
    task.result()
    if interruption is not None:
        raise interruption
