"""`shequn dlq`: what could not be processed, and how it gets another chance."""

import base64
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from shequn.cli.context import DEFAULT_DATA, console, print_json, with_bus
from shequn.runtime.bus.connection import Bus
from shequn.runtime.dead_letters import StoredLetter, read_letter, read_letters, replay_letter
from shequn.runtime.failures import ConfigError

app = typer.Typer(help="Dead letters: messages that could not be processed, kept whole with the reason.")

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
        for stored in letters:
            print_json({"number": stored.number, **stored.letter.model_dump(mode="json", exclude={"payload"})})
        return
    if not letters:
        console.print("no dead letters")
        return
    table = Table("number", "at", "consumer", "reason", "subject", "detail")
    for stored in letters:
        letter = stored.letter
        first_line = (letter.detail.strip().splitlines() or [""])[-1]
        table.add_row(
            str(stored.number),
            f"{letter.at:%Y-%m-%d %H:%M:%S}",
            letter.consumer,
            letter.reason,
            letter.subject,
            first_line,
        )
    console.print(table)


@app.command("show")
def show_letter(number: Number, data: Data = DEFAULT_DATA, as_json: AsJson = False) -> None:
    """Show one dead letter with its message and the whole reason."""
    stored = with_bus(data, lambda bus: read_letter(bus, number))
    letter = stored.letter
    payload = base64.b64decode(letter.payload).decode(errors="backslashreplace")
    if as_json:
        print_json({"number": number, **letter.model_dump(mode="json", exclude={"payload"}), "message": payload})
        return
    for name, value in letter.model_dump(mode="json", exclude={"payload", "detail"}).items():
        console.print(f"{name:>12}  {value}", markup=False)
    console.print(f"{'detail':>12}  {letter.detail}", markup=False)
    console.print(f"{'message':>12}  {payload}", markup=False)


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
    """Send messages through again, once what was wrong is mended. Nothing that was folded is folded twice."""
    if bool(numbers) == everything:
        raise typer.BadParameter("give numbers, or --all")
    count = with_bus(data, lambda bus: _replay(bus, numbers, consumer, reason))
    console.print(f"{count} replayed")


async def _selected(bus: Bus, consumer: str | None, reason: str | None) -> list[StoredLetter]:
    return [
        stored
        async for stored in read_letters(bus)
        if consumer in {None, stored.letter.consumer} and reason in {None, stored.letter.reason}
    ]


async def _replay(bus: Bus, numbers: list[int] | None, consumer: str | None, reason: str | None) -> int:
    if numbers and (consumer or reason):
        raise ConfigError("numbers and --consumer/--reason exclude each other")
    letters = [await read_letter(bus, number) for number in numbers or ()]
    if not numbers:
        letters = await _selected(bus, consumer, reason)
    for stored in letters:
        await replay_letter(bus, stored)
    return len(letters)
