"""Replays recorded events from a file: one JSON object a line, plain or gzip.

Two kinds of line are known: our own envelopes of any outside fact, and chat rows as archives have them (``ts``,
``room``, ``room_id``, ``user``, ``name``, ``id``, ``text``). Events go out in atomic batches, as fast as the bus takes
them or as fast as they happened times a factor. A replay that is broken off is started again from the beginning: ids
are derived, so nothing counts twice. A recording may be as old as it likes, down to 1990; what claims to come from the
future is refused, as anywhere.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import structlog
from pydantic import Field

from services.intake.adapters.channel_settings import COMMUNITY
from services.intake.adapters.replay_lines import STDIN, Line, MalformedLineError, portions_of
from services.intake.adapters.replay_rows import LineReader
from services.intake.facts import OUTSIDE_FACTS
from shequn.adapters import (
    Adapter,
    AdapterEnvironment,
    AdapterManifest,
    AdapterSettings,
    IdKind,
    Label,
    Publish,
    ReceiveContext,
)
from shequn.contracts.base import Slug
from shequn.contracts.envelope import Envelope
from shequn.contracts.subjects import stream_of
from shequn.runtime.clock import stopwatch
from shequn.runtime.failures import ConfigError, PermanentError
from shequn.runtime.fold.workspace import DefinitionBook

_CHANNEL = "replay"
_MOST_PROBLEMS = 1_000
_TICK_SECONDS = 0.05

logger = structlog.get_logger()


class ReplaySettings(AdapterSettings):
    """Settings of a replay.

    Attributes:
        file: JSON lines; gzip is unpacked; ``-`` is standard input.
        community: the community of chat rows; none, and they are refused.
        platform: the platform of chat rows; that of the row's group by default.
        groups: the group of a room, by the room's id or name.
        speed: how many times as fast as it happened; none is as fast as the bus takes it.
        on_error: ``skip`` a malformed line and report it, or ``stop`` at it.
        batch: how many events go out at once.
    """

    file: Annotated[Path, Label(zh="文件", en="File")]
    community: Annotated[Slug | None, COMMUNITY] = None
    platform: Annotated[Slug | None, Label(zh="聊天记录的平台", en="Platform of chat rows")] = None
    groups: Annotated[dict[str, Slug], Label(zh="聊天室对应的群", en="Group of each room")] = Field(
        default_factory=dict
    )
    speed: Annotated[float | None, Field(gt=0, allow_inf_nan=False), Label(zh="速度倍数", en="Speed factor")] = None
    on_error: Annotated[Literal["skip", "stop"], Label(zh="遇到坏行时", en="At a malformed line")] = "skip"
    batch: Annotated[int, Field(ge=1, le=1_000), Label(zh="每批事件数", en="Events in a batch")] = 500


@dataclass(slots=True)
class ReplayReport:
    """What a replay has done so far.

    Attributes:
        read: lines that were read; empty ones do not count.
        published: events that the bus has stored.
        skipped: malformed lines.
        problems: the first 1,000 of them: file, line and what is wrong.
    """

    read: int = 0
    published: int = 0
    skipped: int = 0
    problems: list[str] = field(default_factory=list)


def log_problem(problem: MalformedLineError) -> None:
    """Tell of a malformed line in the log."""
    logger.warning("line skipped", why=str(problem))


class ReplayAdapter(Adapter[ReplaySettings]):
    """Publishes what a file has recorded."""

    manifest: ClassVar[AdapterManifest] = AdapterManifest(
        name="replay",
        title=Label(zh="事件回放", en="Replay of recorded events"),
        settings=ReplaySettings,
        events=tuple(OUTSIDE_FACTS),
        id_kinds=(IdKind("account_id", Label(zh="原平台的账号", en="An account of the recorded platform")),),
    )

    def __init__(
        self,
        settings: ReplaySettings,
        environment: AdapterEnvironment,
        tell: Callable[[MalformedLineError], None] = log_problem,
    ) -> None:
        """Prepare; :meth:`run` reads. The first 1,000 malformed lines are told of."""
        super().__init__(settings, environment)
        self.report = ReplayReport()
        self._tell = tell

    async def open(self) -> None:
        """Check that the file is there.

        Raises:
            ConfigError: it is not.
        """
        file = self.settings.file
        if file != STDIN and (not file.exists() or file.is_dir()):
            raise ConfigError(f"there is no file {file} to replay")

    async def run(self, publish: Publish, definitions: DefinitionBook) -> None:
        """Publish the whole file; see :class:`shequn.adapters.Runs`. Cancelled, it lets the bus store what it has.

        Raises:
            UnknownCommunityError: the community has no definition.
            MalformedLineError: at a malformed line, where the settings say ``stop``; what stands before it is out.
        """
        self.report = ReplayReport()
        if self.settings.community is not None:
            definitions.current(self.settings.community)
        pace = _Pace(self.settings.speed)
        storing: asyncio.Task[None] | None = None
        async with aclosing(self._batches(definitions, pace)) as batches:
            try:
                async for batch in batches:
                    # The next batch is read while the bus stores this one; two are never on their way, so order is
                    # kept.
                    if storing is not None:
                        await asyncio.shield(storing)
                    await pace.wait_for(batch)
                    storing = asyncio.create_task(self._store(batch, publish))
                    await asyncio.sleep(0)
            finally:
                if storing is not None:
                    await asyncio.shield(storing)

    async def _store(self, batch: list[Envelope], publish: Publish) -> None:
        if self.settings.speed is not None:
            accepted = {"recordedtime": self.environment.clock.now()}  # it was read long before it was due
            batch = [event.model_copy(update=accepted) for event in batch]
        # One stream after the other: an atomic batch is of one stream, and between streams there is no order.
        await publish(sorted(batch, key=lambda event: stream_of(event.type).name))
        self.report.published += len(batch)

    async def _batches(self, definitions: DefinitionBook, pace: "_Pace") -> AsyncGenerator[list[Envelope], None]:
        settings, environment = self.settings, self.environment
        reader = LineReader(definitions, settings.community, settings.platform, settings.groups)
        async with aclosing(portions_of(settings.file)) as portions:
            async for portion in portions:
                context = ReceiveContext(_CHANNEL, environment.clock.now(), definitions, environment.ahead)
                for batch in self._of_portion(portion, reader, context, pace):
                    yield batch

    def _of_portion(
        self, portion: list[Line], reader: LineReader, context: ReceiveContext, pace: "_Pace"
    ) -> Iterator[list[Envelope]]:
        batch: list[Envelope] = []
        try:
            for event in self._events(portion, reader, context):
                if batch and (len(batch) >= self.settings.batch or not pace.together(batch[0].time, event.time)):
                    yield batch
                    batch = []
                batch.append(event)
        except MalformedLineError:
            if batch:
                yield batch
            raise
        if batch:
            yield batch

    def _events(self, portion: list[Line], reader: LineReader, context: ReceiveContext) -> Iterator[Envelope]:
        for number, line in portion:
            if not line.strip():
                continue
            self.report.read += 1
            try:
                event = reader.read(line, context)
            except PermanentError as error:
                self._refuse(number, error)
            else:
                yield event

    def _refuse(self, number: int, error: PermanentError) -> None:
        problem = MalformedLineError(self.settings.file, number, str(error))
        self.report.skipped += 1
        if self.settings.on_error == "stop":
            raise problem from error
        if len(self.report.problems) < _MOST_PROBLEMS:
            self.report.problems.append(str(problem))
            self._tell(problem)


class _Pace:
    """Lets events out as they happened, ``speed`` times as fast."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._began: tuple[float, datetime] | None = None

    def together(self, first: datetime, other: datetime) -> bool:
        """Tell whether two events may go out at once."""
        return self._speed is None or abs((other - first).total_seconds()) / self._speed < _TICK_SECONDS

    async def wait_for(self, batch: list[Envelope]) -> None:
        """Wait until a batch is due."""
        if self._speed is None:
            return
        if self._began is None:
            self._began = stopwatch(), batch[0].time
        real, recorded = self._began
        due = real + (batch[0].time - recorded).total_seconds() / self._speed
        await asyncio.sleep(max(0.0, due - stopwatch()))
