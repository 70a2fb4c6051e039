"""A file's contents as plain data that remembers the line of every value."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from shequn.definitions.errors import Report

Path = tuple[str | int, ...]
"""The way to a value from the top of a file: field names and list positions."""


class WrittenInt(int):
    """A whole number that remembers how it was written: ``0123`` as a chat id keeps its zero."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Read a number as YAML 1.2 writes it: decimal, ``0x`` or ``0o``."""
        digits = text.lstrip("+-")
        base = {"0x": 16, "0o": 8}.get(digits[:2].lower(), 10)
        value = super().__new__(cls, int(text, base))
        value.text = text
        return value


Data = dict[str, "Data"] | list["Data"] | str | WrittenInt | Decimal | bool | None
"""What a YAML file holds. Fractions are exact decimals, never floats."""


@dataclass
class Source:
    """One file.

    Attributes:
        name: its path relative to the community folder, with ``/``.
        data: its contents.
        lines: the line of each path.
        paths: the path of each dict and list of ``data``, by identity: pydantic hands them on uncopied.
    """

    name: str
    data: Data = None
    lines: dict[Path, int] = field(default_factory=dict)
    paths: dict[int, Path] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """Give the line of a path, or of the nearest part of it that exists."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def at(self, path: Path) -> Data:
        """Give the value at a path; none where there is none."""
        value = self.data
        for key in path:
            value = child(value, key)
        return value


def child(value: Data, key: str | int) -> Data:
    """Give the value under a field name or list position; none where there is none."""
    if isinstance(value, dict):
        return value.get(str(key))
    if isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
        return value[key]
    return None


@dataclass(frozen=True)
class Place:
    """A value's place in a file, to which findings are pinned."""

    source: Source
    report: Report
    path: Path = ()

    def __truediv__(self, key: str | int) -> "Place":
        """Give the place of a part."""
        return Place(self.source, self.report, (*self.path, key))

    @property
    def line(self) -> int:
        """The line in the file."""
        return self.source.line(self.path)

    @property
    def field(self) -> str:
        """The path as people read it: ``steps[3].wait.until``."""
        return field_name(self.path)

    def problem(self, message: str, hint: str = "") -> None:
        """Report a problem here."""
        self.report.problem(self.source.name, self.line, self.field, message, hint)

    def notice(self, message: str) -> None:
        """Report a notice here."""
        self.report.notice(self.source.name, self.line, self.field, message)


def field_name(path: Path) -> str:
    """Write a path as people read it: ``steps[3].wait.until``."""
    written = ""
    for key in path:
        written += f"[{key}]" if isinstance(key, int) else f".{key}" if written else str(key)
    return written
