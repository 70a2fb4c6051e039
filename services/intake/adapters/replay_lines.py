"""Reads lines of a recording as they come: from a file, plain or gzip, or from standard input.

A thread of its own reads: a pipe may stay silent for hours, and nobody else should wait for it.
"""

import asyncio
import gzip
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase
from pathlib import Path
from threading import Event, Semaphore, Thread

from shequn.runtime.failures import ConfigError, PermanentError

STDIN = Path("-")

_PORTION_BYTES = 1024 * 1024
_MOST_LINE_BYTES = 1024 * 1024  # four times as long as the longest event that the bus takes
_MOST_WAITING = 4
_GZIP = b"\x1f\x8b"

Line = tuple[int, bytes]
"""A line with its number, from 1."""


class MalformedLineError(PermanentError):
    """A line of a recording cannot be read."""

    def __init__(self, file: Path, line: int, problem: str) -> None:
        """Name file, line and what is wrong."""
        super().__init__(f"{name_of(file)}:{line}: {problem}")


def name_of(file: Path) -> str:
    """Give the name of a recording for people."""
    return "stdin" if file == STDIN else str(file)


async def portions_of(file: Path) -> AsyncGenerator[list[Line], None]:
    """Give the lines of a recording, in portions: what has come, and at most about a megabyte.

    Raises:
        ConfigError: it cannot be read.
        MalformedLineError: its gzip data is damaged, or it has no lines; what stands before that was given.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[list[Line] | Exception | None] = asyncio.Queue()
    room, abandoned = Semaphore(_MOST_WAITING), Event()

    def hand_over(item: list[Line] | Exception | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(arrived.put_nowait, item)

    def read() -> None:
        try:
            for portion in _read(file):
                room.acquire()
                if abandoned.is_set():
                    return
                hand_over(portion)
            hand_over(None)
        except Exception as error:  # noqa: BLE001  # raised where it is awaited
            hand_over(error)

    # A daemon: it may be waiting for a pipe when the process wants to end.
    Thread(target=read, name=f"read {name_of(file)}", daemon=True).start()
    try:
        while (item := await arrived.get()) is not None:
            if isinstance(item, Exception):
                raise item
            room.release()
            yield item
    finally:
        abandoned.set()
        room.release()


def _read(file: Path) -> Iterator[list[Line]]:
    number, rest = 0, b""
    try:
        with _opened(file) as stream:
            while data := stream.read1(_PORTION_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                if lines:
                    yield list(enumerate(lines, number + 1))
                    number += len(lines)
                if len(rest) > _MOST_LINE_BYTES:
                    raise MalformedLineError(file, number + 1, "is longer than 1 MiB; one event a line is wanted")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise MalformedLineError(file, number + 1, f"the gzip data is damaged: {error}") from error
    except OSError as error:
        raise ConfigError(f"cannot read {name_of(file)}: {error.strerror or error}") from error
    if rest:
        yield [(number + 1, rest)]


@contextmanager
def _opened(file: Path) -> Iterator[BufferedIOBase]:
    # Not sys.stdin: the interpreter would wait for its lock when it ends, and the thread may hold it for ever.
    with open(0, "rb", closefd=False) if file == STDIN else file.open("rb") as stream:
        if file.suffix == ".gz" or stream.peek(len(_GZIP))[:2] == _GZIP:
            with gzip.GzipFile(fileobj=stream) as unpacked:
                yield unpacked
        else:
            yield stream
