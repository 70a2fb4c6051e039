"""Where the figures of a running stack appear: a live screen, or a line now and then."""

from datetime import datetime
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from shequn.cli.context import tell, visible
from shequn.cli.figures import Figures
from shequn.cli.screen import Screen

_LINE_SECONDS = 5.0


class LineDisplay:
    """Prints a line every few seconds, for output that is no terminal."""

    def __init__(self, screen: Screen) -> None:
        """Use a screen's wording."""
        self._screen = screen
        self._last = float("-inf")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; what was printed stays."""

    def show(self, figures: Figures, now: datetime, note: str) -> None:
        """Show figures, unless the last line is fresh."""
        if monotonic() - self._last >= _LINE_SECONDS:
            self._last = monotonic()
            tell(self._screen.line(figures, now, note))

    def tell(self, text: str) -> None:
        """Print a message."""
        tell(text)


class LiveDisplay:
    """Draws the screen again and again in a terminal, whatever its size is then, and removes it at the end."""

    def __init__(self, screen: Screen) -> None:
        """Use a screen."""
        self._screen = screen
        # A console of its own: that of the commands lets long lines overflow.
        self._live = Live(console=Console(), auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        """Take over the terminal."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        # Rich forgets the first line of a screen as high as the terminal.
        self._live.update(Text(), refresh=True)
        self._live.stop()

    def show(self, figures: Figures, now: datetime, note: str) -> None:
        """Draw figures."""
        self._live.update(self._screen.draw(figures, now, note), refresh=True)

    def tell(self, text: str) -> None:
        """Print a message above the screen."""
        self._live.console.print(visible(text), markup=False, highlight=False, emoji=False)
