"""Statements that read and write many rows at once, compiled from table declarations.

Every statement takes one array per column: one round trip a batch, whatever its size.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shequn.runtime.fold.tables import CounterTable, Key, LogTable, StateTable

_ARRAY_TYPES: tuple[tuple[type[Any], str], ...] = (
    (sa.Uuid, "uuid"),
    # A JSON list inside an array would be read as one more dimension of it: JSON travels as text and is cast in SQL.
    (JSONB, "text"),
    (sa.BigInteger, "bigint"),
    (sa.Integer, "integer"),
    (sa.Boolean, "boolean"),
    (sa.DateTime, "timestamptz"),
    (sa.Date, "date"),
    (sa.Double, "float8"),
    (sa.LargeBinary, "bytea"),
    (sa.Text, "text"),
)


def array_type(column: sa.Column[Any]) -> str:
    """Give the PostgreSQL type of a column's values.

    Raises:
        TypeError: when the fold runtime does not know the column's type.
    """
    for kind, name in _ARRAY_TYPES:
        if isinstance(column.type, kind):
            return name
    raise TypeError(f"column {column}: the fold runtime does not know the type {column.type!r}")


def _json_text(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


@dataclass(frozen=True)
class _Shape:
    """The parts of SQL text that a table's columns give."""

    table: sa.Table

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns)

    @cached_property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.primary_key.columns)

    @cached_property
    def rest(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in self.key)

    def arrays(self, names: Sequence[str]) -> str:
        """Give ``unnest`` with one typed array parameter per column."""
        types = [array_type(self.table.columns[name]) for name in names]
        return "unnest(" + ", ".join(f"${index}::{kind}[]" for index, kind in enumerate(types, 1)) + ")"

    def values(self, names: Sequence[str], prefix: str) -> str:
        """Give the columns of an ``unnest`` as values of the table."""
        return ", ".join(
            f'{prefix}"{name}"::jsonb' if isinstance(self.table.columns[name].type, JSONB) else f'{prefix}"{name}"'
            for name in names
        )

    @cached_property
    def json(self) -> tuple[bool, ...]:
        """For each column, whether it holds JSON."""
        return tuple(isinstance(column.type, JSONB) for column in self.table.columns)

    @cached_property
    def read_row(self) -> Callable[[Any], tuple[Any, ...]]:
        """What gives the values of a row object."""
        read = attrgetter(*self.names)
        return read if len(self.names) > 1 else lambda row: (read(row),)

    def columns(self, rows: Sequence[Any]) -> list[Sequence[Any]]:
        """Turn rows (objects with attributes) into one sequence per column, as the statements take them."""
        columns = zip(*map(self.read_row, rows), strict=True)
        return [
            list(map(_json_text, column)) if is_json else column
            for column, is_json in zip(columns, self.json, strict=True)
        ]

    def select_rows(self) -> str:
        """Give all rows that the arrays hold."""
        values = self.values(self.names, "v.")
        return f"SELECT {values} FROM {self.arrays(self.names)} AS v({quoted(self.names)})"  # noqa: S608

    def read(self, name: str) -> str:
        """Give how a column is selected: uuids as text, because ids are strings in code."""
        is_uuid = array_type(self.table.columns[name]) == "uuid"
        return f't."{name}"::text' if is_uuid else f't."{name}"'


def quoted(names: Sequence[str], prefix: str = "") -> str:
    """Join column names, quoted."""
    return ", ".join(f'{prefix}"{name}"' for name in names)


class StateStatements:
    """Load rows under lock, and update those that exist.

    Rows that don't exist are copied in (``COPY``, with ``names`` and ``record``): half the cost of an ``INSERT``.
    """

    def __init__(self, table: StateTable[Any]) -> None:
        """Compile the statements of a table."""
        shape = _Shape(table.table)
        self.table, self.key, self.columns, name = table, shape.key, shape.columns, table.table.name
        self.names, self.record = shape.names, shape.read_row
        on_key = " AND ".join(f't."{column}" = k."{column}"' for column in shape.key)
        order = quoted(shape.key, "t.")
        self.load = (
            f"SELECT {', '.join(shape.read(column) for column in shape.names)} "  # noqa: S608  # names of declared tables
            f'FROM {shape.arrays(shape.key)} AS k({quoted(shape.key)}) JOIN "{name}" AS t ON {on_key} '
            f"ORDER BY {order} FOR UPDATE OF t"
        )
        changes = (
            ", ".join(f'"{column}" = {shape.values((column,), "v.")}' for column in shape.rest)
            or f'"{shape.key[0]}" = t."{shape.key[0]}"'
        )
        self.update = (
            f'UPDATE "{name}" AS t SET {changes} FROM {shape.arrays(shape.names)} AS v({quoted(shape.names)}) '  # noqa: S608
            f"WHERE {on_key.replace('k.', 'v.')}"
        )

    def row_from(self, record: Sequence[Any]) -> Any:
        """Make a row object from a record of ``load``."""
        return self.table.row(*record)


class CounterStatements:
    """Add deltas to counters."""

    def __init__(self, table: CounterTable) -> None:
        """Compile the statement of a table."""
        shape = _Shape(table.table)
        self.table, self.key, self.counters, name = table, shape.key, shape.rest, table.table.name
        sums = ", ".join(f'"{column}" = t."{column}" + excluded."{column}"' for column in shape.rest)
        self.add = (
            f'INSERT INTO "{name}" AS t ({quoted(shape.names)}) {shape.select_rows()} '
            f"ON CONFLICT ({quoted(shape.key)}) DO UPDATE SET {sums}"
        )

    def arguments(self, deltas: Sequence[tuple[Key, dict[str, int]]]) -> list[list[Any]]:
        """Give one array per column."""
        keys = [list(column) for column in zip(*(key for key, _ in deltas), strict=True)]
        return keys + [[sums.get(name, 0) for _, sums in deltas] for name in self.counters]


class LogStatements:
    """Append rows to a log."""

    def __init__(self, table: LogTable[Any]) -> None:
        """Compile the statement of a table."""
        shape = _Shape(table.table)
        self.table, self.columns = table, shape.columns
        self.append = f'INSERT INTO "{table.name}" ({quoted(shape.names)}) {shape.select_rows()} ON CONFLICT DO NOTHING'
