"""Runs a fold in memory: the runtime's rules (keys, journal, inbox) without a database."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import UnknownCommunityError
from shequn.runtime.fold import CounterTable, FoldContext, Key, LogTable, StateTable, Workspace
from shequn.runtime.fold.folder import Folder

S = TypeVar("S")
R = TypeVar("R")


@dataclass
class MemoryBook:
    """Definitions held in a list; the last one of a community is in force."""

    definitions: list[CommunityDefinition] = field(default_factory=list)

    def current(self, community: str) -> CommunityDefinition:
        """Give the version in force."""
        for definition in reversed(self.definitions):
            if definition.community == community:
                return definition
        raise UnknownCommunityError(community)

    def version(self, community: str, version: int) -> CommunityDefinition:
        """Give one version."""
        for definition in self.definitions:
            if (definition.community, definition.version) == (community, version):
                return definition
        raise UnknownCommunityError(community, version)


@dataclass
class MemoryTables:
    """What the tables hold. Folders of one service share it."""

    states: dict[str, dict[Key, Any]] = field(default_factory=dict)
    sums: dict[str, dict[Key, dict[str, int]]] = field(default_factory=dict)
    rows: dict[str, dict[Key, Any]] = field(default_factory=dict)
    inbox: set[tuple[str, str]] = field(default_factory=set)


class FoldRunner:
    """Folds events one batch at a time, as the runtime would.

    ``errors`` collects what folds raised, by event id, instead of dead letters.
    """

    def __init__(
        self,
        folder: Folder,
        *definitions: CommunityDefinition,
        now: datetime | None = None,
        tables: MemoryTables | None = None,
    ) -> None:
        """Start with empty tables, or with those another folder of the same service shares."""
        self.folder = folder
        self.book = MemoryBook(list(definitions))
        self.now = now or datetime(2026, 1, 1, tzinfo=UTC)
        self.tables = tables or MemoryTables()
        self.errors: dict[str, Exception] = {}

    def run(self, events: Iterable[Envelope]) -> list[Envelope]:
        """Fold events as one batch and give what they emitted."""
        fresh = [event for event in events if self._is_new(event)]
        work = Workspace()
        context = FoldContext(now=self.now, definitions=self.book)
        for table in self.folder.tables:
            self._load(work, table, fresh, context)
        for event in fresh:
            try:
                with work.event():
                    self.folder.fold(event, work, context)
            except Exception as error:  # noqa: BLE001  # the runtime's rule: whatever a fold raises is a dead letter
                self.errors[event.id] = error
        self._write(work)
        return list(work.events)

    def state(self, table: StateTable[S], *key: Any) -> S | None:
        """Give a stored state."""
        return self.tables.states.get(table.name, {}).get(key)

    def states(self, table: StateTable[S]) -> dict[Key, S]:
        """Give all stored states of a table by key."""
        return dict(self.tables.states.get(table.name, {}))

    def counters(self, table: CounterTable) -> dict[Key, dict[str, int]]:
        """Give all sums of a counter table by key."""
        return dict(self.tables.sums.get(table.name, {}))

    def log(self, table: LogTable[R]) -> list[R]:
        """Give all rows of a log in the order they came."""
        return list(self.tables.rows.get(table.name, {}).values())

    def _is_new(self, event: Envelope) -> bool:
        entry = (self.folder.consumer.durable, event.id)
        if entry in self.tables.inbox:
            return False
        self.tables.inbox.add(entry)
        return True

    def _load(self, work: Workspace, table: StateTable[Any], events: list[Envelope], context: FoldContext) -> None:
        stored = self.tables.states.get(table.name, {})
        for event in list(events):
            try:
                keys = set(table.keys(event, work, context))
            except Exception as error:  # noqa: BLE001  # the runtime's rule
                self.errors[event.id] = error
                events.remove(event)
                continue
            work.load(table, {key: stored.get(key) for key in keys})

    def _write(self, work: Workspace) -> None:
        for table in self.folder.tables:
            stored = self.tables.states.setdefault(table.name, {})
            stored.update({table.key_of(row): _as_stored(table.table, row) for row in work.written_states(table)})
        for counter in self.folder.counters:
            sums = self.tables.sums.setdefault(counter.name, {})
            for key, deltas in work.written_deltas(counter):
                total = sums.setdefault(key, dict.fromkeys(counter.counters, 0))
                for name, delta in deltas.items():
                    total[name] += delta
        for log in self.folder.logs:
            rows = self.tables.rows.setdefault(log.name, {})
            for row in work.written_rows(log):
                rows.setdefault(log.key_of(row), _as_stored(log.table, row))


def _as_stored(table: sa.Table, row: R) -> R:
    """Give a row as the store would give it back: JSON columns go through JSON."""
    changes = {
        column.name: orjson.loads(orjson.dumps(getattr(row, column.name)))
        for column in table.columns
        if isinstance(column.type, JSONB)
    }
    return replace(row, **changes) if changes else row  # type: ignore[type-var]  # row classes are dataclasses
