"""Read a text file, whatever stands under its name: a pipe, a device or a broken link is a problem, never a hang."""

import errno
import os
import stat
from pathlib import Path

from shequn.definitions.errors import Report

MAX_BYTES = 1 << 20
"""A file people write is far smaller; more is a mistake or an attack."""

_OTHER_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_WITHOUT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_text(path: Path, name: str, report: Report, limit: int = MAX_BYTES) -> str | None:
    """Read a text file of at most ``limit`` bytes in UTF-8. Gives none, and a problem, when that is not what it is.

    Args:
        path: the file.
        name: how findings name it.
        report: takes the problems.
        limit: how many bytes are read at most, in whole MiB.
    """
    try:
        raw = _read(path, limit + 1)
    except OSError as error:
        report.problem(name, 0, "", f"cannot be read: {why(error)}", _hint(path))
        return None
    if len(raw) > limit:
        shorter = "shorten it" if path.suffix == ".txt" else "split it, or move long word lists to words/"
        report.problem(name, 0, "", f"is larger than {limit >> 20} MiB", shorter)
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        report.problem(name, line, "", f"is not UTF-8: byte {raw[error.start]:#04x}", "save the file as UTF-8")
        return None


def why(error: OSError) -> str:
    """Say what an operating system's error is, without the path: findings name the file already."""
    return error.strerror or str(error)


def shown(name: str) -> str:
    """Give a file's name as it can be printed: bytes that are no UTF-8 and control characters are replaced."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)


def _read(path: Path, most: int) -> bytes:
    # Looked at before it is opened, because opening a device may already do something.
    _require_a_file(path.stat().st_mode)
    # And again after: it may have been replaced, and a pipe would wait for its writer.
    with open(os.open(path, _WITHOUT_WAITING), "rb") as file:  # noqa: PTH123  # a Path opens without these flags
        _require_a_file(os.fstat(file.fileno()).st_mode)
        return file.read(most)


def _require_a_file(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((name for is_kind, name in _OTHER_KINDS if is_kind(mode)), "something else")
    raise OSError(errno.EINVAL, f"it is {kind}, not a file")


def _hint(path: Path) -> str:
    if path.is_symlink():
        return "it is a link: let it lead to a file, or remove it"
    return "check the file and its permissions"
