"""Log files of supervised processes."""

from pathlib import Path
from typing import BinaryIO

TAIL_LINES = 20
_TAIL_BYTES = 32_768
_KEEP_BYTES = 10_000_000


def open_log(path: Path) -> BinaryIO:
    """Open `path` to append to. Over 10 MB it first becomes `<name>.1`, replacing the older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _KEEP_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def tail(path: Path, lines: int = TAIL_LINES, since: int = 0) -> list[str]:
    """The last `lines` lines of `path`, oldest first; empty when there is no file.

    Args:
        path: the log file.
        lines: how many at most.
        since: what stands before this byte is left out.
    """
    try:
        with path.open("rb") as log:
            log.seek(max(since, path.stat().st_size - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]
