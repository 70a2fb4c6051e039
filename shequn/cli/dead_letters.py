"""`shequn dlq`: what could not be processed, and how it gets another chance."""

from pathlib import Path
from typing import Annotated

import typer

from shequn.cli.context import (
    DEFAULT_DATA,
    EXIT_WRONG_INPUT,
    print_json,
    show_error,
    tell,
    with_bus,
)
from shequn.runtime.bus.connection import Bus
from shequn.runtime.dead_letters import (
    Found,
    MessageGoneError,
    Replayed,
    StoredLetter,
    UnreadableLetterError,
    read_letter,
    read_letters,
    replay_letters,
    whole_message,
)
from shequn.runtime.failures import ConfigError

app = typer.Typer(help="Dead letters: messages that could not be processed, kept whole with the reason.")

_UNREADABLE = "unreadable"  # stands for the reason of a letter that gives none
_LAST_NUMBER = 2**64 - 1  # of a message in a stream

Number = Annotated[int, typer.Argument(help="A number as `dlq list` shows it.", min=1, max=_LAST_NUMBER)]
Data = Annotated[Path, typer.Option(help="The data folder of the stack.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]
Consumer = Annotated[str | None, typer.Option(help="Only letters of this consumer.")]
Reason = Annotated[str | None, typer.Option(help="Only letters of this reason, e.g. malformed.")]


@app.command("list")
def list_letters(
    data: Data = DEFAULT_DATA, consumer: Consumer = None, reason: Reason = None, as_json: AsJson = False
) -> None:
    """List dead letters, oldest first."""
    letters = with_bus(data, lambda bus: _selected(bus, consumer, reason))
    if as_json:
        for found in letters:
            print_json(_as_json(found))
        return
    if not letters:
        tell("no dead letters")
        return
    # No table: a reason that a narrow terminal cuts can be neither read nor typed.
    for found in letters:
        *head, detail = _row(found)
        tell("  ".join(filter(None, head)))
        tell(f"    {detail}")


@app.command("show")
def show_letter(number: Number, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show one dead letter with its message and the whole reason."""
    stored, message, gone = with_bus(data, lambda bus: _opened(bus, number))
    text = message.decode(errors="backslashreplace")
    if as_json:
        print_json({**_as_json(stored), "message": text, "whole": gone is None})
        return
    letter = stored.letter
    for name, value in letter.model_dump(mode="json", exclude={"payload", "detail"}).items():
        tell(f"{name:>12}  {value}")
    tell(f"{'detail':>12}  {letter.detail}")
    tell(f"{'message':>12}  {text}")
    if gone is not None:
        show_error(gone)


@app.command("replay")
def replay(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Numbers as `dlq list` shows them.", min=1, max=_LAST_NUMBER)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every letter that the other options select.")] = False,
    consumer: Consumer = None,
    reason: Reason = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Send messages through again, once what was wrong is mended. Nothing that was folded is folded twice.

    A message is sent once, however many consumers gave it up; the letters of all of them go.
    """
    if bool(numbers) == everything:
        raise typer.BadParameter("give numbers, or --all")
    replayed = with_bus(data, lambda bus: _replay(bus, numbers, consumer, reason))
    tell(f"{replayed.messages} replayed, {replayed.letters} letters removed")
    for failure in replayed.failures:
        show_error(failure)
    if replayed.failures:
        raise typer.Exit(EXIT_WRONG_INPUT)


async def _selected(bus: Bus, consumer: str | None, reason: str | None) -> list[Found]:
    return [found async for found in read_letters(bus) if _is_of(found, consumer, reason)]


def _is_of(found: Found, consumer: str | None, reason: str | None) -> bool:
    if isinstance(found, UnreadableLetterError):
        return consumer is None and reason in {None, _UNREADABLE}
    return consumer in {None, found.letter.consumer} and reason in {None, found.letter.reason}


def _row(found: Found) -> tuple[str, ...]:
    if isinstance(found, UnreadableLetterError):
        return str(found.number), "", "", _UNREADABLE, "", found.why
    letter = found.letter
    first_line = letter.detail.partition("\n")[0]  # where a rule raised, its traceback follows
    at = f"{letter.at:%Y-%m-%d %H:%M:%S}"
    return str(found.number), at, letter.consumer, letter.reason, letter.subject, first_line


def _as_json(found: Found) -> dict[str, object]:
    if isinstance(found, UnreadableLetterError):
        return {"number": found.number, "reason": _UNREADABLE, "detail": found.why}
    return {"number": found.number, **found.letter.model_dump(mode="json", exclude={"payload"})}


async def _opened(bus: Bus, number: int) -> tuple[StoredLetter, bytes, MessageGoneError | None]:
    """Give a letter with its whole message; with what it holds of it where the whole is gone."""
    stored = await read_letter(bus, number)
    try:
        return stored, await whole_message(bus, stored), None
    except MessageGoneError as gone:
        return stored, stored.payload, gone


async def _replay(bus: Bus, numbers: list[int] | None, consumer: str | None, reason: str | None) -> Replayed:
    if not numbers:
        return await replay_letters(bus, lambda found: _is_of(found, consumer, reason))
    if consumer or reason:
        raise ConfigError("numbers and --consumer/--reason exclude each other")
    for number in numbers:
        await read_letter(bus, number)
    wanted = set(numbers)
    return await replay_letters(bus, lambda found: found.number in wanted)
