"""Sends a recording into a running stack, and says what became of each line."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from services.intake.adapters.replay import ReplayAdapter, ReplaySettings
from services.intake.settings import IntakeSettings
from shequn.adapters import AdapterEnvironment
from shequn.cli.context import DEFAULT_DATA, EXIT_NOT_NOW, connected_bus, console, errors, print_json, run
from shequn.contracts.envelope import Envelope
from shequn.local import EndedBySignals, read_record
from shequn.runtime.bus import Bus, Outgoing
from shequn.runtime.clock import Clock, parse_clock, stopwatch
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.failures import ConfigError, PermanentError

_PROGRESS_SECONDS = 5.0
_OPTIONS = {"groups": "--group"}

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="JSON lines, plain or gzip; - is standard input.")],
    speed: Annotated[
        float | None, typer.Option(help="So many times as fast as it happened; as fast as the bus takes it by default.")
    ] = None,
    community: Annotated[
        str | None, typer.Option(help="The community of chat rows; not needed where only one is applied.")
    ] = None,
    platform: Annotated[
        str | None, typer.Option(help="The platform of chat rows; that of the row's group by default.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="ROOM=GROUP: the group of a chat room, by its id or name. Repeatable.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first line that is refused.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object on the last line.")] = False,
    data: Annotated[Path, typer.Option(help="The data folder of the stack.")] = DEFAULT_DATA,
) -> None:
    """Send a recording into a running stack. Nothing counts twice, however often it is sent.

    Exit code 0: every line is stored by the bus. 1: lines were refused, or it was broken off. 2: the file or an option
    is wrong, or --strict found a wrong line.
    """
    settings = _settings(
        file=file,
        speed=speed,
        community=community,
        platform=platform,
        groups=_groups(group or ()),
        on_error="stop" if strict else "skip",
    )
    work = Replay(settings, data)
    try:
        run(work.run)
    finally:
        if work.adapter is not None:
            _show(work.summary(), as_json=as_json)
    if not work.finished or work.summary()["refused"]:
        raise typer.Exit(EXIT_NOT_NOW)


class Replay:
    """One replay into a stack.

    Attributes:
        adapter: who reads the file; none before it is opened.
        finished: the file is read to its end.
    """

    def __init__(self, settings: ReplaySettings, data: Path) -> None:
        """Prepare; nothing is read yet."""
        self._settings = settings
        self._data = data
        self._duplicates = 0
        self._told_at = stopwatch()
        self.adapter: ReplayAdapter | None = None
        self.finished = False

    async def run(self) -> None:
        """Send everything, or as much as comes before SIGINT or SIGTERM.

        Raises:
            PermanentError: the file, a line that must not be wrong, or a setting is wrong.
            TransientError: the bus is away.
        """
        intake = IntakeSettings.load()
        environment = AdapterEnvironment("replay", self._data, _clock(self._data), intake.ahead)
        async with EndedBySignals():
            await ReplayAdapter(self._settings, environment).open()
            async with connected_bus(self._data) as bus:
                definitions = await _definitions(bus)
                settings = _with_community(self._settings, definitions.communities)
                self.adapter = ReplayAdapter(settings, environment, tell=_tell)

                async def publish(events: Sequence[Envelope]) -> None:
                    self._duplicates += await bus.publisher.publish([Outgoing.of(event) for event in events])
                    self._progress(events[-1])

                await self.adapter.run(publish, definitions)
                self.finished = True

    def summary(self) -> Mapping[str, Any]:
        """Count what was read, what is new to the bus, what it knew already, and what was refused."""
        assert self.adapter is not None  # noqa: S101  # there is nothing to count before
        report = self.adapter.report
        return {
            "read": report.read,
            "accepted": report.published - self._duplicates,
            "duplicates": self._duplicates,
            "refused": report.skipped,
            "finished": self.finished,
            "problems": report.problems,
        }

    def _progress(self, latest: Envelope) -> None:
        if stopwatch() - self._told_at >= _PROGRESS_SECONDS and self.adapter is not None:
            self._told_at = stopwatch()
            errors.print(f"… {self.adapter.report.read} read, up to {latest.time:%Y-%m-%d %H:%M:%S}", markup=False)


async def _definitions(bus: Bus) -> DefinitionFollower:
    definitions = DefinitionFollower(bus)
    try:
        await definitions.start()
    except NotFoundError:
        raise ConfigError("no stack has worked with this bus yet; start one with `./run up`") from None
    if not definitions.communities:
        raise ConfigError("no community is applied; run `shequn apply FOLDER` first")
    return definitions


def _clock(data: Path) -> Clock:
    """Find the clock of the stack: a demo's runs fast."""
    record = None if os.environ.get("SHEQUN_NATS_URL") else read_record(data)
    known = os.environ if record is None else record.environment
    return parse_clock(known.get("SHEQUN_CLOCK", "real"))


def _settings(**values: Any) -> ReplaySettings:
    try:
        return ReplaySettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        raise typer.BadParameter(first["msg"], param_hint=_OPTIONS.get(name, f"--{name}")) from None


def _groups(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        room, equals, group = pair.rpartition("=")
        if not (room and equals and group):
            raise typer.BadParameter(f"{pair!r} is not ROOM=GROUP", param_hint="--group")
        found[room] = group
    return found


def _with_community(settings: ReplaySettings, known: Sequence[str]) -> ReplaySettings:
    if settings.community is None and len(known) == 1:
        return settings.model_copy(update={"community": known[0]})
    return settings


def _tell(problem: PermanentError) -> None:
    errors.print(str(problem), markup=False)


def _show(summary: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    counted = ", ".join(f"{name} {summary[name]}" for name in ("read", "accepted", "duplicates", "refused"))
    console.print(counted, markup=False)
    if not summary["finished"]:
        console.print("not all of it; run the same command again, nothing counts twice", markup=False)
