"""The three kinds of tables a fold writes to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import sqlalchemy as sa

if TYPE_CHECKING:
    from shequn.runtime.fold.workspace import FoldContext, Workspace

S = TypeVar("S")
R = TypeVar("R")

Key = tuple[Any, ...]
"""The values of a table's primary key, in its order."""


@dataclass(frozen=True)
class StateTable(Generic[S]):
    """Rows that a fold reads and replaces, loaded under a row lock.

    Attributes:
        table: the table; its primary key columns come first.
        row: a frozen dataclass whose fields are the table's columns, in order. All but the key fields have defaults:
            ``row(*key)`` is the state of a key that has no row yet.
        keys: the keys that an event touches, from the event, the workspace and the context. It may look at the rows of
            tables declared before this one, but not at this or later ones, nor write. When it raises, the event is
            refused as if ``fold`` had raised.
    """

    table: sa.Table
    row: type[S]
    keys: Callable[[Any, "Workspace", "FoldContext"], Iterable[Key]]

    def __post_init__(self) -> None:
        """Refuse a row class that does not mirror the table."""
        _require_same_names(self.table, [field.name for field in fields(self.row)])  # type: ignore[arg-type]
        key_names = [column.name for column in self.table.primary_key.columns]
        if key_names != [column.name for column in self.table.columns][: len(key_names)]:
            raise TypeError(f"table {self.table.name}: the primary key columns must come first, in order")

    @cached_property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @cached_property
    def key_of(self) -> Callable[[S], Key]:
        """What gives the key of a row."""
        return _key_reader(self.table)


@dataclass(frozen=True)
class CounterTable:
    """Rows whose numbers only ever grow or shrink by deltas: written without reading, so a hot row is no hot lock.

    Every column outside the primary key is an integer that starts at 0.
    """

    table: sa.Table

    @cached_property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def counters(self) -> tuple[str, ...]:
        """The names of the counting columns."""
        return tuple(column.name for column in self.table.columns if not column.primary_key)


@dataclass(frozen=True)
class LogTable(Generic[R]):
    """Rows that are only ever added. A row whose key exists already is left as it is.

    ``row`` is a frozen dataclass whose fields are the table's columns, in order.
    """

    table: sa.Table
    row: type[R]

    def __post_init__(self) -> None:
        """Refuse a row class that does not mirror the table."""
        _require_same_names(self.table, [field.name for field in fields(self.row)])  # type: ignore[arg-type]

    @cached_property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @cached_property
    def key_of(self) -> Callable[[R], Key]:
        """What gives the key of a row."""
        return _key_reader(self.table)


def _key_reader(table: sa.Table) -> Callable[[Any], Key]:
    names = [column.name for column in table.primary_key.columns]
    if len(names) == 1:
        read_one = attrgetter(names[0])
        return lambda row: (read_one(row),)
    return attrgetter(*names)


def _require_same_names(table: sa.Table, names: list[str]) -> None:
    columns = [column.name for column in table.columns]
    if columns != names:
        raise TypeError(f"table {table.name} has columns {columns}, its row class has fields {names}: make them equal")
