"""Helper processes of a bench: one JSON document a line, in and out."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from shequn.local.process import launch_argv

_LONGEST_LINE = 16_000_000


class ChildError(RuntimeError):
    """A helper process ended before it answered."""

    def __init__(self, module: str, status: int | None) -> None:
        """Name the module and its exit status."""
        super().__init__(f"{module} ended with status {status} before it answered; its error is printed above")


class Child:
    """A running helper process."""

    def __init__(self, module: str, process: asyncio.subprocess.Process) -> None:
        """Wrap a started process; use :func:`child`."""
        self._module = module
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and wait for the answer.

        Raises:
            ChildError: it ended instead.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if not line:
            raise ChildError(self._module, await self._process.wait())
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def child(module: str, environment: Mapping[str, str]) -> AsyncIterator[Child]:
    """Run ``python -m module`` for the length of the block. It dies with this process, whatever ends it.

    Args:
        module: it answers requests with :func:`serve`.
        environment: variables added to ours.
    """
    process = await asyncio.create_subprocess_exec(
        *launch_argv((sys.executable, "-m", module)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
        start_new_session=True,
        limit=_LONGEST_LINE,
    )
    try:
        yield Child(module, process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def requests() -> AsyncIterator[dict[str, Any]]:
    """In the helper process: give the requests, until there are no more."""
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        while line := await reader.readline():
            yield json.loads(line)
    finally:
        transport.close()


def answer(document: Mapping[str, Any]) -> None:
    """In the helper process: answer the request."""
    print(json.dumps(document), flush=True)
