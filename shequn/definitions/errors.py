"""What is wrong with a community's files, and what is only worth knowing.

::

    ConfigError
    └── DefinitionError     one or more problems; `check` prints them, exit code 2
"""

from dataclasses import dataclass

from shequn.runtime.failures import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that must be corrected before the files can be applied.

    Attributes:
        file: path relative to the community folder, with ``/``.
        line: line in that file, from 1; 0 when the file as a whole is meant.
        field: where in the file, as ``steps[3].wait.until``; empty for the whole file.
        message: what is wrong.
        hint: what to do; may be empty.
    """

    file: str
    line: int
    field: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Give one line for a person."""
        return _one_line(self.file, self.line, self.field, self.message) + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, slots=True, order=True)
class Notice:
    """Something that is accepted, but that its author should know. Fields as in :class:`Problem`."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        """Give one line for a person."""
        return _one_line(self.file, self.line, self.field, self.message)


class DefinitionError(ConfigError):
    """A community's files cannot be used.

    ``problems`` holds all that was found, by file and line: first the files of the folder itself, then those in
    subfolders, which name what stands in the former.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems; the message lists them, one a line."""
        noun = "problem" if len(problems) == 1 else "problems"
        super().__init__("\n".join([f"{len(problems)} {noun} in the definition files:", *map(str, problems)]))
        self.problems = problems


class Report:
    """Collects problems and notices while files are read. The same finding counts once."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self._problems: set[Problem] = set()
        self._notices: set[Notice] = set()

    def problem(self, file: str, line: int, field: str, message: str, hint: str = "") -> None:
        """Add a problem."""
        self._problems.add(Problem(file, line, field, message, hint))

    def notice(self, file: str, line: int, field: str, message: str) -> None:
        """Add a notice."""
        self._notices.add(Notice(file, line, field, message))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in order."""
        return tuple(sorted(self._problems, key=_order))

    @property
    def notices(self) -> tuple[Notice, ...]:
        """All notices, in order."""
        return tuple(sorted(self._notices, key=_order))


def _order(found: Problem | Notice) -> tuple[bool, Problem | Notice]:
    return "/" in found.file, found


def _one_line(file: str, line: int, field: str, message: str) -> str:
    place = f"{file}:{line}" if line else file
    return f"{place}: {field}: {message}" if field else f"{place}: {message}"
