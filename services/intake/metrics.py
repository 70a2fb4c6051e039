"""Intake in figures."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.intake import store
from services.intake.outgoing import OutgoingAdapters
from shequn.runtime.store.types import Connection
from shequn.runtime.telemetry import replace_children

_ACK_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class IntakeMetrics:
    """Declares the metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self.webhooks = Counter(
            "shequn_intake_webhooks_total",
            "Webhook calls, by channel and HTTP status; channel `unknown` is not set up",
            ("channel", "status"),
            registry=registry,
        )
        self.events = Counter(
            "shequn_intake_events_total",
            "Events that channels brought and the bus stored",
            ("channel",),
            registry=registry,
        )
        self.ignored = Counter(
            "shequn_intake_webhooks_ignored_total",
            "Webhook calls that were right and told nothing of interest",
            ("channel",),
            registry=registry,
        )
        self.running = Gauge(
            "shequn_intake_channel_running",
            "1 while a channel that fetches events by itself does so",
            ("channel",),
            registry=registry,
        )
        self.breaks = Counter(
            "shequn_intake_channel_breaks_total",
            "Times that a channel that fetches events by itself broke off",
            ("channel",),
            registry=registry,
        )
        self.refused = Counter(
            "shequn_intake_channel_refused_total",
            "Events of a channel that fetches by itself that were refused for their time",
            ("channel",),
            registry=registry,
        )
        self.ack_seconds = Histogram(
            "shequn_intake_ack_seconds",
            "Time from the body of a webhook to the bus's acknowledgement",
            ("channel",),
            buckets=_ACK_BUCKETS,
            registry=registry,
        )
        self.outcomes = Counter(
            "shequn_intake_outcomes_total",
            "Executions of actions, by adapter and outcome; one that is delayed is executed again",
            ("adapter", "status"),
            registry=registry,
        )
        self.healthy = Gauge(
            "shequn_intake_adapter_healthy", "1 when an outgoing adapter can work", ("adapter",), registry=registry
        )
        self.members = Gauge(
            "shequn_intake_members",
            "People of a community: active or left",
            ("community", "standing"),
            registry=registry,
        )
        self.actions = Gauge(
            "shequn_intake_actions",
            "Actions that were accepted in all, each idempotency key once",
            ("community", "action"),
            registry=registry,
        )
        self.duplicates = Gauge(
            "shequn_intake_action_duplicates",
            "Actions that came with a key that was seen already",
            ("community", "action"),
            registry=registry,
        )
        self.settled = Gauge(
            "shequn_intake_actions_settled",
            "Actions that have their last outcome",
            ("community", "action", "status"),
            registry=registry,
        )
        self.waiting = Gauge("shequn_intake_actions_waiting", "Actions in the queue", ("status",), registry=registry)

    def show(self, totals: store.Totals) -> None:
        """Set the gauges."""
        members: dict[tuple[str, ...], float] = {}
        for community, (active, left) in totals.members.items():
            members[community, "active"] = active
            members[community, "left"] = left
        replace_children(self.members, members)
        replace_children(self.actions, {labels: accepted for labels, (accepted, _) in totals.actions.items()})
        replace_children(self.duplicates, {labels: twice for labels, (_, twice) in totals.actions.items()})
        replace_children(self.settled, dict(totals.settled.items()))
        waiting = {"pending": 0, "sending": 0} | totals.waiting
        replace_children(self.waiting, {(status,): count for status, count in waiting.items()})


class IntakeExporter:
    """Reads what the gauges show."""

    def __init__(self, metrics: IntakeMetrics, outgoing: OutgoingAdapters) -> None:
        """Prepare."""
        self._metrics = metrics
        self._outgoing = outgoing

    async def refresh(self, connection: Connection) -> None:
        """Set the gauges from the store, and the adapters' health."""
        self._metrics.show(await store.read_totals(connection))
        for name, health in (await self._outgoing.health()).items():
            self._metrics.healthy.labels(name).set(health.healthy)
