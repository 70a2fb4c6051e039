"""Chooses how much a terminal can show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleDimensions, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.segment import Segment

_UNBOUNDED = 10_000
Lines = list[list[Segment]]


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to show everything.

    Attributes:
        parts: what stands below each other, most important first.
        rigid: those of them that must not be narrower than they are by nature; the others may wrap.
    """

    parts: Sequence[RenderableType]
    rigid: Sequence[RenderableType]

    def lines(self, console: Console, options: ConsoleOptions) -> Lines:
        """Render it."""
        return console.render_lines(Group(*self.parts), options.update(height=None), pad=False)

    def is_narrower(self, console: Console, options: ConsoleOptions) -> bool:
        """Tell whether it needs no more than the width of the options."""
        unbounded = options.update(width=_UNBOUNDED)
        return all(Measurement.get(console, unbounded, part).maximum <= options.max_width for part in self.rigid)


@dataclass(frozen=True, slots=True)
class Fitting:
    """Draws the first layout that fits the terminal; if none does, as much of the last as there is room for.

    Attributes:
        layouts: the ways to show everything, the richest first.
        chosen: place of the layout drawn last, by the terminal's size. Finding it costs several times the drawing, so
            whoever draws often keeps it: what is too rich once stays so, because the figures only grow.
    """

    layouts: Sequence[Layout]
    chosen: dict[ConsoleDimensions, int] = field(default_factory=dict)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Draw with Rich."""
        for line in self._lines(console, options):
            yield from line
            yield Segment.line()

    def _lines(self, console: Console, options: ConsoleOptions) -> Lines:
        size = options.size
        for place, layout in enumerate(self.layouts):
            if place < self.chosen.get(size, 0) or not layout.is_narrower(console, options):
                continue
            if len(lines := layout.lines(console, options)) <= size.height:
                self.chosen[size] = place
                return lines
        self.chosen[size] = len(self.layouts)
        return self.layouts[-1].lines(console, options)[: size.height]
