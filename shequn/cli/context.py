"""What commands share: where the stack is, how errors and results are shown."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import nats.errors
import typer
from rich.console import Console
from rich.text import Text

from shequn.local import LocalSettings, read_record
from shequn.local.errors import ProcessFailedError
from shequn.runtime.bus.address import server_urls
from shequn.runtime.bus.connection import Bus
from shequn.runtime.failures import AppError, ConfigError, PermanentError, TransientError
from shequn.runtime.settings import load_settings
from shequn.runtime.store.address import checked_dsn

T = TypeVar("T")

# A text such as :b: stays what it is.
console = Console(soft_wrap=True, emoji=False)
errors = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

EXIT_WRONG_INPUT = 2
EXIT_NOT_NOW = 1

DEFAULT_DATA = Path(os.environ.get("SHEQUN_DATA_DIR") or ".shequn").expanduser()
"""The folder of the stack where none is named."""

_LAST_OF_ONE_BYTE = 0xFF
_CONNECT_SECONDS = 3.0  # a person waits; a service that waits for its bus has more patience

# What a terminal obeys or cannot show: C0 but tab and newline, DEL, C1, changes of direction, halves of a character.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Give a text from outside as a terminal may have it: control characters are spelled out."""
    return _UNSHOWABLE.sub(_spelled, text)


def cell(text: str) -> Text:
    """Make a table's cell of a text from outside, as it is: it may hold brackets that are no markup."""
    return Text(visible(text))


def _spelled(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number <= _LAST_OF_ONE_BYTE else f"\\u{number:04x}"


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work; turn errors that are meant for people into messages and exit codes.

    Exit code 2: the input or a setting is wrong. 1: something is not reachable now, or a process of the stack failed.
    """
    try:
        return asyncio.run(work())
    except AppError as error:
        show_error(error)
        wrong_input = isinstance(error, PermanentError) and not isinstance(error, ProcessFailedError)
        raise typer.Exit(EXIT_WRONG_INPUT if wrong_input else EXIT_NOT_NOW) from error


def show_error(error: object) -> None:
    """Write an error to standard error, as it is: it may hold brackets that are no markup."""
    errors.print("error:", style="bold red", end=" ")
    errors.print(visible(str(error)), markup=False)


def print_json(value: Any) -> None:
    """Write one JSON object on one line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    # JSON spells C0 out itself; the others only stand in strings, where each may be written by its number.
    sys.stdout.write(_UNSHOWABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
    sys.stdout.flush()


def stack_settings(data: Path) -> LocalSettings:
    """Read the settings of a stack in a folder.

    Raises:
        ConfigError: a setting is wrong.
    """
    settings = load_settings(LocalSettings).model_copy(update={"data_dir": data})
    if settings.nats_url is not None:
        server_urls(settings.nats_url)
    if settings.postgres_dsn is not None:
        checked_dsn(settings.postgres_dsn)
    return settings


def tell(text: str) -> None:
    """Write what happened, as it is."""
    console.print(visible(text), markup=False)


def nats_url(data: Path) -> str:
    """Find the bus: the setting ``SHEQUN_NATS_URL``, else the stack that runs on a data folder.

    Raises:
        ConfigError: neither is there.
    """
    if url := os.environ.get("SHEQUN_NATS_URL"):
        return url
    state = read_record(data)
    if state is None:
        raise ConfigError(
            f"no stack runs on the folder {data}: start one with `./run up`, name its folder with --data, "
            "or set SHEQUN_NATS_URL"
        )
    return state.nats_url


@asynccontextmanager
async def connected_bus(data: Path) -> AsyncIterator[Bus]:
    """Connect to the bus for one command.

    Raises:
        ConfigError: there is no bus to connect to, or its URL is wrong.
        TransientError: the bus is not reachable, does not answer, or refuses what the command asks.
    """
    bus = Bus(nats_url(data), name="shequn-cli")
    await bus.connect(within=_CONNECT_SECONDS)
    try:
        yield bus
    except nats.errors.Error as error:
        raise TransientError(f"NATS did not do what was asked: {str(error) or type(error).__name__}") from error
    finally:
        await bus.close()


Work = Callable[[Bus], Awaitable[T]]


def with_bus(data: Path, work: Work[T]) -> T:
    """Run work that needs the bus."""

    async def connected() -> T:
        async with connected_bus(data) as bus:
            return await work(bus)

    return run(connected)
