"""`shequn demo`: a whole made-up community on this machine, from the first sign-up to the last commission."""

import asyncio
import io
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import httpx2
import typer
from rich.console import Console
from rich.live import Live

from shequn.cli.context import DEFAULT_DATA, console, print_json, run
from shequn.cli.figures import Figures, counted_totals, read_figures
from shequn.cli.screen import Screen
from shequn.cli.stack import addresses
from shequn.definitions import load_folder
from shequn.local import EndedBySignals, read_record
from shequn.local.errors import DataFolderError, StackRunningError
from shequn.runtime.failures import ConfigError
from shequn.sim.behaviour import Behaviour
from shequn.sim.prediction import Totals
from shequn.sim.staging import Stage, staged, story_clock
from shequn.sim.story import Story, Storyteller

_SAMPLE = Path(__file__).parents[2] / "samples" / "reading-club"
_DEFAULT_SECONDS = 90
_LEAST_SECONDS = 20
_SETTLE_SECONDS = 45.0
_REFRESH_SECONDS = 0.5
_LINE_SECONDS = 5.0
_MISMATCH = 1
_PICTURE_COLUMNS = 150
_SQUEEZED = re.compile(r'(<text [^>]*?) textLength="[0-9.]+"([^>]*>[^<]*[\u2e80-\uffef])')


def demo(
    seconds: Annotated[
        int | None, typer.Option(help="Tell the story in so many seconds, then end with a summary.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object on the last line.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed tells another story.")] = 7,
    data: Annotated[Path, typer.Option(help="Folder of the demo's data; emptied first.")] = DEFAULT_DATA / "demo",
    picture: Annotated[Path | None, typer.Option(help="Keep the last screen as an SVG file.")] = None,
) -> None:
    """Run a made-up community: 32 days in a minute and a half, every event through the real services."""
    if seconds is not None and seconds < _LEAST_SECONDS:
        raise typer.BadParameter(f"a story needs {_LEAST_SECONDS} seconds at least", param_hint="--seconds")
    result = run(lambda: _demo(seconds, seed, data, picture, as_json=as_json))
    if result is False:
        raise typer.Exit(_MISMATCH)


async def _demo(seconds: int | None, seed: int, data: Path, picture: Path | None, *, as_json: bool) -> bool | None:
    behaviour = Behaviour.read(_SAMPLE / "behaviour.yaml")
    definition = load_folder(_SAMPLE).definition
    clock = story_clock(behaviour, seconds or _DEFAULT_SECONDS)
    _empty(data)
    result: bool | None = None
    console.print("starting NATS, PostgreSQL, Prefect and six services …")
    # Ctrl-C leaves the block without an error, and without a result.
    async with EndedBySignals(), staged(data, clock, definition) as stage:
        story = Storyteller(stage.definition, behaviour, seed, clock.now()).tell()
        show = Show(stage, story, terminal=sys.stdout.isatty() and not as_json)
        result = await show.run(picture, go_on=seconds is None, as_json=as_json)
    return result  # noqa: RET504  # see above


def _empty(data: Path) -> None:
    """Remove what the last demo left. Only a folder that a demo made is emptied."""
    marker = data / "demo"
    try:
        if data.exists() and any(data.iterdir()):
            if not marker.exists():
                raise ConfigError(f"{data} holds something that is no demo's; give another folder with --data")
            if (record := read_record(data)) is not None:
                raise StackRunningError(data, record.pid)
            shutil.rmtree(data)
        data.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        raise DataFolderError(data, error) from error


@dataclass(slots=True)
class Show:
    """Feeds the story and shows what comes of it."""

    stage: Stage
    story: Story
    terminal: bool

    async def run(self, picture: Path | None, *, go_on: bool, as_json: bool) -> bool:
        """Tell the story to its end; say whether the services counted what it predicts."""
        urls = addresses(self.stage.stack)
        screen = Screen(self.stage.definition, urls)
        for name, address in urls.items():
            console.print(f"{name:>12}  {address}", markup=False)
        console.print("metrics: /metrics · health: /readyz · AsyncAPI: /asyncapi", markup=False)
        feeding = asyncio.create_task(self.stage.feeder().feed(self.story), name="feed")
        try:
            figures = await self._watch(screen, feeding, picture)
        finally:
            feeding.cancel()
        counted = self._counted(figures)
        equal = counted == self.story.totals
        if as_json:
            print_json(self._as_json(counted, equal=equal))
        else:
            console.print(screen.summary(self.story.totals, counted))
            console.print("the services counted what the story predicts" if equal else "the totals DIFFER")
        if go_on:
            console.print("the story is over; the stack goes on until Ctrl-C")
            await self.stage.stack.watch()
        return equal

    async def _watch(self, screen: Screen, feeding: "asyncio.Task[None]", picture: Path | None) -> Figures:
        """Show figures until the story is told, its waits have run out and the totals are there, or time is up."""
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        last_line = 0.0
        async with httpx2.AsyncClient(timeout=5.0, trust_env=False) as client:
            with Live(console=console, auto_refresh=False, transient=True) as live:
                while True:
                    figures = await read_figures(client, self.stage.services)
                    now = self.stage.clock.now()
                    note = f"day {(now - self.story.start).days + 1}"
                    if self.terminal:
                        live.update(screen.draw(figures, now, note), refresh=True)
                    elif loop.time() - last_line >= _LINE_SECONDS:
                        last_line = loop.time()
                        console.print(screen.line(figures, now, note), markup=False)
                    if feeding.done():
                        feeding.result()
                        if picture is not None:
                            self._draw(screen, figures, picture)
                            picture = None
                    if now >= self.story.end and feeding.done():
                        deadline = deadline or loop.time() + _SETTLE_SECONDS
                        if self._counted(figures) == self.story.totals or loop.time() > deadline:
                            return figures
                    await asyncio.sleep(_REFRESH_SECONDS)

    def _draw(self, screen: Screen, figures: Figures, picture: Path) -> None:
        """Keep a screen as it looks in a wide terminal."""
        paper = Console(record=True, width=_PICTURE_COLUMNS, file=io.StringIO(), force_terminal=True)
        paper.print(screen.draw(figures, self.stage.clock.now(), "the story is told"))
        # Rich squeezes a text to one cell a letter, but Chinese letters take two.
        svg = _SQUEEZED.sub(r"\1\2", paper.export_svg(title="./run demo"))
        picture.write_text(svg, encoding="utf-8")

    def _counted(self, figures: Figures) -> Totals:
        definition = self.stage.definition
        return counted_totals(figures, definition.community, definition.funnels[0].funnel)

    def _as_json(self, counted: Totals, *, equal: bool) -> dict[str, object]:
        return {
            "demo": self.stage.definition.community,
            "predicted": self.story.totals.as_dict(),
            "counted": counted.as_dict(),
            "equal": equal,
        }
