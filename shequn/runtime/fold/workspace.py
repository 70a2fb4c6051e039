"""The working memory of one batch: loaded states, pending deltas, appended rows and outgoing events.

An event whose fold raises leaves no trace here: states it replaced are put back, what it added is cut off again. Most
events succeed, so success costs nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from types import TracebackType
from typing import Any, Final, Protocol, TypeVar, cast

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold.tables import CounterTable, Key, LogTable, StateTable

S = TypeVar("S")
R = TypeVar("R")

_ABSENT: Final = object()


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


def _undeclared(table: StateTable[Any], key: Key) -> KeyError:
    return KeyError(f"{table.name}{key} was not declared by the table's keys(), so it is not locked")


class Workspace:
    """Reads and writes of a batch, kept in memory until the batch is written."""

    __slots__ = ("_added", "_appended", "_event", "_events", "_replaced", "_states", "_stored")

    def __init__(self) -> None:
        """Start empty."""
        # By table name and key: what the store has (None for no row), and what it is after the events so far.
        self._stored: dict[str, dict[Key, Any]] = {}
        self._states: dict[str, dict[Key, Any]] = {}
        self._added: list[tuple[str, Key, dict[str, int]]] = []
        self._appended: list[tuple[str, Any]] = []
        self._events: list[Envelope] = []
        # What the event in hand replaced: the rows of a table, the key, the row before.
        self._replaced: list[tuple[dict[Key, Any], Key, Any]] = []
        self._event = _Attempt(self)

    def get(self, table: StateTable[S], *key: Any) -> S:
        """Give the state of ``key``, as earlier events of the batch left it; the initial state when there is none.

        Raises:
            KeyError: when the key was not declared by the table's ``keys``, and so is not locked.
        """
        try:
            row = self._states[table.name][key]
        except KeyError:
            raise _undeclared(table, key) from None
        return table.row(*key) if row is None else cast("S", row)

    def find(self, table: StateTable[S], *key: Any) -> S | None:
        """Give the state of ``key`` as ``get`` does, but none when there is none: an initial state costs to make.

        Raises:
            KeyError: as ``get``.
        """
        try:
            return cast("S | None", self._states[table.name][key])
        except KeyError:
            raise _undeclared(table, key) from None

    def put(self, table: StateTable[S], row: S) -> None:
        """Replace the state of the row's key."""
        rows = self._states.setdefault(table.name, {})
        key = table.key_of(row)
        self._replaced.append((rows, key, rows.get(key, _ABSENT)))
        rows[key] = row

    def add(self, table: CounterTable, key: Key, **deltas: int) -> None:
        """Add to counters of ``key``."""
        self._added.append((table.name, key, deltas))

    def append(self, table: LogTable[R], row: R) -> None:
        """Add a row to a log."""
        self._appended.append((table.name, row))

    def emit(self, event: Envelope) -> None:
        """Publish an event or command once the batch is written."""
        self._events.append(event)

    # What follows is for the runtime.

    def exists(self, table: StateTable[Any], key: Key) -> bool:
        """Tell whether the store has a row of the key."""
        return self._stored.get(table.name, {}).get(key) is not None

    def load(self, table: StateTable[Any], rows: dict[Key, Any]) -> None:
        """Take in locked rows; ``None`` for keys without a row."""
        self._stored.setdefault(table.name, {}).update(rows)
        self._states.setdefault(table.name, {}).update(rows)

    def event(self) -> "_Attempt":
        """Keep what is written inside when it succeeds; forget it when it raises."""
        return self._event

    def written_states(self, table: StateTable[S]) -> list[S]:
        """The rows to upsert, in key order."""
        stored, rows = self._stored.get(table.name, {}), self._states.get(table.name, {})
        written = [key for key, row in rows.items() if row is not stored.get(key)]
        return [cast("S", rows[key]) for key in sorted(written)]

    def written_deltas(self, table: CounterTable) -> list[tuple[Key, dict[str, int]]]:
        """The sums to add, in key order."""
        name, by_key = table.name, dict[Key, dict[str, int]]()
        for added_to, key, deltas in self._added:
            if added_to == name:
                sums = by_key.get(key)
                if sums is None:
                    by_key[key] = dict(deltas)
                    continue
                for counter, delta in deltas.items():
                    sums[counter] = sums.get(counter, 0) + delta
        return sorted(by_key.items(), key=itemgetter(0))

    def written_rows(self, table: LogTable[R]) -> list[R]:
        """The rows to append, in the order they came."""
        name = table.name
        return [cast("R", row) for appended_to, row in self._appended if appended_to == name]

    @property
    def events(self) -> list[Envelope]:
        """The events to publish, in the order they came."""
        return self._events


class _Attempt:
    """The folding of one event: a context that undoes what was written when it raises."""

    __slots__ = ("_lengths", "_work")

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self._lengths = (0, 0, 0)

    def __enter__(self) -> None:
        work = self._work
        work._replaced.clear()  # noqa: SLF001  # one thing in two classes
        self._lengths = (len(work._added), len(work._appended), len(work._events))  # noqa: SLF001

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._undo()

    def _undo(self) -> None:
        work = self._work
        for rows, key, before in reversed(work._replaced):  # noqa: SLF001
            if before is _ABSENT:
                del rows[key]
            else:
                rows[key] = before
        added, appended, events = self._lengths
        del work._added[added:], work._appended[appended:], work._events[events:]  # noqa: SLF001
