"""Hints for people who mistyped a name."""

from collections.abc import Iterable
from difflib import get_close_matches

_LISTED = 12
"""How many names a hint lists when none is close: more than fits a line helps nobody."""


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """Name the known word that is closest to what was written, or list the known words when none is close."""
    names = sorted(set(known))
    lowered = {name.lower(): name for name in names}
    close = get_close_matches(written.lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f"did you mean {lowered[close[0]]!r}?"
    if not names:
        return ""
    listed = ", ".join(names[:_LISTED])
    return f"known: {listed}, …" if len(names) > _LISTED else f"known: {listed}"
