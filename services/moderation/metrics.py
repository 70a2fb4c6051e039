"""What moderation shows of itself."""

from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.moderation.domain.policy import decide
from services.moderation.store import read_totals
from shequn.contracts.envelope import Envelope
from shequn.contracts.moderation import MessageFlagged, SanctionImposed, Verdict
from shequn.runtime.store.types import Connection
from shequn.runtime.telemetry import replace_children

_NO_CHECK = "none"


class ModerationMetrics:
    """Counters of this process, and gauges of everything decided so far, read from the store."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self.judged = Counter(
            "shequn_moderation_messages_judged",
            "Messages judged by this process, by verdict and deciding check (none: every check passed)",
            ("community", "verdict", "check"),
            registry=registry,
        )
        self.imposed = Counter(
            "shequn_moderation_sanctions_imposed",
            "Sanctions imposed by this process, by rung",
            ("community", "rung"),
            registry=registry,
        )
        self.decisions = Gauge(
            "shequn_moderation_decisions",
            "Messages decided so far, by verdict and deciding check (none: every check passed)",
            ("community", "verdict", "check"),
            registry=registry,
        )
        self.sanctions = Gauge(
            "shequn_moderation_sanctions", "Sanctions imposed so far, by rung", ("community", "rung"), registry=registry
        )

    def count(self, folded: Sequence[Envelope], emitted: Sequence[Envelope]) -> None:
        """Count what a batch decided: what is not flagged has passed.

        A message that comes under two event ids counts twice here, and once in the gauges.
        """
        judged: Tally[tuple[str, str, str]] = Tally(
            (event.community, Verdict.PASS.value, _NO_CHECK) for event in folded
        )
        imposed: Tally[tuple[str, str]] = Tally()
        for event in emitted:
            if isinstance(event, MessageFlagged):
                offending = decide(event.data.results)
                check = offending.deciding.check if offending else _NO_CHECK
                judged[event.community, event.data.verdict.value, check] += 1
                judged[event.community, Verdict.PASS.value, _NO_CHECK] -= 1
            elif isinstance(event, SanctionImposed):
                imposed[event.community, event.data.rung.value] += 1
        for labels, messages in judged.items():
            self.judged.labels(*labels).inc(messages)
        for rung_labels, sanctions in imposed.items():
            self.imposed.labels(*rung_labels).inc(sanctions)

    async def refresh(self, connection: Connection) -> None:
        """Set the gauges from the store."""
        totals = await read_totals(connection)
        replace_children(self.decisions, {labels: float(count) for labels, count in totals.decisions.items()})
        replace_children(self.sanctions, {labels: float(count) for labels, count in totals.sanctions.items()})
