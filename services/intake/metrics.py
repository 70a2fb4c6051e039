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

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"shequn_intake_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"shequn_intake_{name}", text, labels, registry=registry)

        ack_text = "Time from the body of a webhook to the bus's acknowledgement"
        self.ack_seconds = Histogram(
            "shequn_intake_ack_seconds", ack_text, ("channel",), buckets=_ACK_BUCKETS, registry=registry
        )
        called = "Webhook calls, by channel and HTTP status; channel `unknown` is not set up"
        self.webhooks = counter("webhooks_total", called, "channel", "status")
        self.events = counter("events_total", "Events that channels brought and the bus stored", "channel")
        ignored = "Webhook calls that were right and told nothing of interest"
        self.ignored = counter("webhooks_ignored_total", ignored, "channel")
        running = "1 while a channel that fetches events by itself does so"
        self.running = gauge("channel_running", running, "channel")
        breaks = "Times that a channel that fetches events by itself broke off"
        self.breaks = counter("channel_breaks_total", breaks, "channel")
        refused = "Events of a channel that fetches by itself that were refused for their time"
        self.refused = counter("channel_refused_total", refused, "channel")
        outcomes = "Executions of actions, by adapter and outcome; one that is delayed is executed again"
        self.outcomes = counter("outcomes_total", outcomes, "adapter", "status")
        self.healthy = gauge("adapter_healthy", "1 when an outgoing adapter can work", "adapter")
        self.members = gauge("members", "People of a community: active or left", "community", "standing")
        accepted = "Actions that were accepted in all, each idempotency key once"
        self.actions = gauge("actions", accepted, "community", "action")
        duplicates = "Actions that came with a key that was seen already"
        self.duplicates = gauge("action_duplicates", duplicates, "community", "action")
        settled = "Actions that have their last outcome"
        self.settled = gauge("actions_settled", settled, "community", "action", "status")
        self.waiting = gauge("actions_waiting", "Actions in the queue", "status")

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
