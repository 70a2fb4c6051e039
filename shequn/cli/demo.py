"""`shequn demo`: a whole made-up community on this machine, from the first sign-up to the last commission."""

import asyncio
import io
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import httpx2
import typer
from rich.console import Console

from shequn.cli.context import DEFAULT_DATA, console, print_json, run, stack_settings, tell
from shequn.cli.display import LineDisplay, LiveDisplay
from shequn.cli.figures import Figures, counted_totals, read_figures
from shequn.cli.screen import Screen
from shequn.cli.stack import addresses
from shequn.definitions import load_folder
from shequn.local import EndedBySignals, empty_folder
from shequn.sim.behaviour import Behaviour
from shequn.sim.prediction import Totals
from shequn.sim.staging import Stage, staged, story_clock
from shequn.sim.story import Story, Storyteller

_SAMPLE = Path(__file__).parents[2] / "samples" / "reading-club"
_DEFAULT_SECONDS = 90
_LEAST_SECONDS = 20
_SETTLE_SECONDS = 45.0
_REFRESH_SECONDS = 0.5
_MISMATCH = 1
_PICTURE_COLUMNS = 150
_PICTURE_LINES = 50
_MARKER = "demo"
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
    stack_settings(data)  # a wrong setting is told before anything is emptied
    await empty_folder(data, _MARKER, f"{data} holds something that is no demo's; give another folder with --data")
    result: bool | None = None
    tell("starting NATS, PostgreSQL, Prefect and six services …")
    # Ctrl-C leaves the block without an error, and without a result.
    async with EndedBySignals(), staged(data, clock, definition) as stage:
        story = Storyteller(stage.definition, behaviour, seed, clock.now()).tell()
        show = Show(stage, story, terminal=sys.stdout.isatty() and not as_json)
        result = await show.run(picture, go_on=seconds is None, as_json=as_json)
    return result  # noqa: RET504  # see above


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
            tell(f"{name:>12}  {address}")
        tell("metrics: /metrics · health: /readyz · AsyncAPI: /asyncapi")
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
            tell("the services counted what the story predicts" if equal else "the totals DIFFER")
        if go_on:
            tell("the story is over; the stack goes on until Ctrl-C")
            await self.stage.stack.watch(tell)
        return equal

    async def _watch(self, screen: Screen, feeding: "asyncio.Task[None]", picture: Path | None) -> Figures:
        """Show figures until the story is told, its waits have run out and the totals are there, or time is up."""
        with LiveDisplay(screen) if self.terminal else LineDisplay(screen) as display:
            failing = asyncio.create_task(self.stage.stack.watch(display.tell), name="watch")
            try:
                return await self._show(screen, display, (feeding, failing), picture)
            finally:
                failing.cancel()

    async def _show(
        self,
        screen: Screen,
        display: LiveDisplay | LineDisplay,
        tasks: tuple["asyncio.Task[None]", "asyncio.Task[NoReturn]"],
        picture: Path | None,
    ) -> Figures:
        feeding, _ = tasks
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        async with httpx2.AsyncClient(timeout=5.0, trust_env=False) as client:
            while True:
                figures = await read_figures(client, self.stage.services)
                now = self.stage.clock.now()
                display.show(figures, now, self._note(now))
                for task in tasks:
                    if task.done():
                        task.result()
                if feeding.done():
                    if picture is not None:
                        self._draw(screen, figures, picture)
                        picture = None
                    if now >= self.story.end:
                        deadline = deadline or loop.time() + _SETTLE_SECONDS
                        if self._counted(figures) == self.story.totals or loop.time() > deadline:
                            return figures
                await asyncio.sleep(_REFRESH_SECONDS)

    def _note(self, now: datetime) -> str:
        """The day, and who is in trouble."""
        crashing = [name for name, process in self.stage.stack.processes.items() if process.trouble is not None]
        day = f"day {(now - self.story.start).days + 1}"
        return f"{day}   crashing: {', '.join(crashing)}" if crashing else day

    def _draw(self, screen: Screen, figures: Figures, picture: Path) -> None:
        """Keep a screen as it looks in a wide terminal."""
        paper = Console(
            record=True, width=_PICTURE_COLUMNS, height=_PICTURE_LINES, file=io.StringIO(), force_terminal=True
        )
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
