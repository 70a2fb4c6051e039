"""The working memory of one batch: loaded states, pending deltas, appended rows and outgoing events.

An event whose fold raises leaves no trace here: what it wrote goes into a journal that is merged only when it succeeds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold.tables import CounterTable, Key, LogTable, StateTable

S = TypeVar("S")
R = TypeVar("R")


class DefinitionBook(Protocol):
    """The definitions in force, and older versions."""

    def current(self, community: str) -> CommunityDefinition:
        """Give the version in force. Raises ``UnknownCommunityError`` when none was applied."""
        ...

    def version(self, community: str, version: int) -> CommunityDefinition:
        """Give one version. Raises ``UnknownCommunityError`` when it does not exist."""
        ...


@dataclass(frozen=True, slots=True)
class FoldContext:
    """What a fold may know besides states and the event.

    Attributes:
        now: the moment of processing, read once a batch.
        definitions: the definition documents.
    """

    now: datetime
    definitions: DefinitionBook


@dataclass(slots=True)
class _Journal:
    """What has been written, by table name and key."""

    states: dict[str, dict[Key, Any]] = field(default_factory=dict)
    deltas: dict[str, dict[Key, dict[str, int]]] = field(default_factory=dict)
    rows: dict[str, list[Any]] = field(default_factory=dict)
    events: list[Envelope] = field(default_factory=list)


class Workspace:
    """Reads and writes of a batch, kept in memory until the batch is written."""

    __slots__ = ("_journal", "_loaded", "_merged")

    def __init__(self) -> None:
        """Start empty."""
        self._loaded: dict[str, dict[Key, Any]] = {}
        self._merged = _Journal()
        self._journal = _Journal()

    def get(self, table: StateTable[S], *key: Any) -> S:
        """Give the state of ``key``, as earlier events of the batch left it; the initial state when there is none.

        Raises:
            KeyError: when the key was not declared by the table's ``keys``, and so is not locked.
        """
        for written in (self._journal, self._merged):
            rows = written.states.get(table.name)
            if rows is not None and key in rows:
                return cast("S", rows[key])
        loaded = self._loaded.get(table.name, {})
        if key not in loaded:
            raise KeyError(f"{table.name}{key} was not declared by the table's keys(), so it is not locked")
        row = loaded[key]
        return table.row(*key) if row is None else cast("S", row)

    def put(self, table: StateTable[S], row: S) -> None:
        """Replace the state of the row's key."""
        self._journal.states.setdefault(table.name, {})[table.key_of(row)] = row

    def add(self, table: CounterTable, key: Key, **deltas: int) -> None:
        """Add to counters of ``key``."""
        sums = self._journal.deltas.setdefault(table.name, {}).setdefault(key, {})
        for name, delta in deltas.items():
            sums[name] = sums.get(name, 0) + delta

    def append(self, table: LogTable[R], row: R) -> None:
        """Add a row to a log."""
        self._journal.rows.setdefault(table.name, []).append(row)

    def emit(self, event: Envelope) -> None:
        """Publish an event or command once the batch is written."""
        self._journal.events.append(event)

    # What follows is for the runtime.

    def exists(self, table: StateTable[Any], key: Key) -> bool:
        """Tell whether the store has a row of the key."""
        return self._loaded.get(table.name, {}).get(key) is not None

    def load(self, table: StateTable[Any], rows: dict[Key, Any]) -> None:
        """Take in locked rows; ``None`` for keys without a row."""
        self._loaded.setdefault(table.name, {}).update(rows)

    @contextmanager
    def event(self) -> Iterator[None]:
        """Merge what is written inside when it succeeds; forget it when it raises."""
        self._journal = _Journal()
        try:
            yield
            self._merge()
        finally:
            self._journal = _Journal()

    def _merge(self) -> None:
        merged, journal = self._merged, self._journal
        for name, states in journal.states.items():
            merged.states.setdefault(name, {}).update(states)
        for name, by_key in journal.deltas.items():
            sums_by_key = merged.deltas.setdefault(name, {})
            for key, deltas in by_key.items():
                sums = sums_by_key.setdefault(key, {})
                for counter, delta in deltas.items():
                    sums[counter] = sums.get(counter, 0) + delta
        for name, rows in journal.rows.items():
            merged.rows.setdefault(name, []).extend(rows)
        merged.events.extend(journal.events)

    def written_states(self, table: StateTable[S]) -> list[S]:
        """The rows to upsert, in key order."""
        rows = self._merged.states.get(table.name, {})
        return [cast("S", rows[key]) for key in sorted(rows)]

    def written_deltas(self, table: CounterTable) -> list[tuple[Key, dict[str, int]]]:
        """The sums to add, in key order."""
        sums = self._merged.deltas.get(table.name, {})
        return [(key, sums[key]) for key in sorted(sums)]

    def written_rows(self, table: LogTable[R]) -> list[R]:
        """The rows to append, in the order they came."""
        return cast("list[R]", self._merged.rows.get(table.name, []))

    @property
    def events(self) -> list[Envelope]:
        """The events to publish, in the order they came."""
        return self._merged.events
