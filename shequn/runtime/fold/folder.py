"""What a service offers to the runtime for each durable consumer."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from shequn.contracts.envelope import Envelope
from shequn.contracts.subjects import ConsumerSpec
from shequn.runtime.fold.tables import CounterTable, LogTable, StateTable
from shequn.runtime.fold.workspace import FoldContext, Workspace


class Folder(Protocol):
    """How one consumer folds its events.

    Attributes:
        consumer: what it reads.
        tables: states it reads and replaces, in the order they are locked. All folders of a service that share tables
            list them in the same order, so that replicas never deadlock.
        counters: counters it adds to.
        logs: logs it appends to.
        accepts: the event classes it folds; other types that the consumer delivers are passed over.
        emits: the event classes it emits.
    """

    @property
    def consumer(self) -> ConsumerSpec: ...  # noqa: D102
    @property
    def tables(self) -> Sequence[StateTable[Any]]: ...  # noqa: D102
    @property
    def counters(self) -> Sequence[CounterTable]: ...  # noqa: D102
    @property
    def logs(self) -> Sequence[LogTable[Any]]: ...  # noqa: D102
    @property
    def accepts(self) -> Sequence[type[Envelope]]: ...  # noqa: D102
    @property
    def emits(self) -> Sequence[type[Envelope]]: ...  # noqa: D102

    def fold(self, event: Any, work: Workspace, context: FoldContext) -> None:
        """Fold one event. Raise to refuse it: it becomes a dead letter, and what it wrote is forgotten."""
        ...


@runtime_checkable
class Observer(Protocol):
    """A folder that counts what it did, once a batch, after the commit."""

    def observe(self, folded: Sequence[Envelope], emitted: Sequence[Envelope]) -> None:
        """Count the events that were folded and emitted."""
        ...
