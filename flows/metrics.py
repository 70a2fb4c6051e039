"""Funnels in figures. Gauges are set from the store, so a restart or a replay never bends them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from flows.store import Connection, FunnelTotals, read_funnel_totals, read_parked
from shequn.runtime.telemetry import replace_children

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_MEMBERS = (0, 1, 10, 50, 100, 500, 1_000, 2_500, 5_000)


class FunnelMetrics:
    """Where members stand, how far they came, and what guards held back."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the gauges."""

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"shequn_funnel_{name}", text, ("community", "funnel", *labels), registry=registry)

        self.entered = gauge("entered", "Enrollments begun in all")
        self.stage_reached = gauge("stage_reached", "Enrollments that reached the stage, in all", "stage")
        self.active = gauge("active", "Enrollments that have not ended, by the stage reached last", "stage")
        self.enrollments = gauge("enrollments", "Enrollments by state", "state")
        self.conversion = gauge("conversion_ratio", "Share of the enrollments that reached the stage", "stage")
        self.finished = gauge("finished", "Enrollments ended in all, by reason", "reason")
        self.goals = gauge("goals", "Enrollments that reached the goal, in all", "goal")
        self.offers = gauge("offers", "Offers made in all", "product")
        self.sends = gauge("sends", "Messages handed to delivery in all")
        self.suppressed = gauge("suppressed_sends", "Sends dropped by a guard in all", "reason")
        self.delayed = gauge("delayed_sends", "Sends put off by a guard in all", "reason")
        self.parked = gauge("parked", "Enrollments that are due and cannot move; they are tried again")

    async def refresh(self, connection: Connection) -> None:
        """Set the gauges from the store."""
        self.show(await read_funnel_totals(connection))
        parked = await read_parked(connection)
        replace_children(self.parked, {(community, funnel): count for (community, funnel), count in parked.items()})

    def show(self, totals: list[FunnelTotals]) -> None:
        """Set the gauges; what is gone from the store goes from the metrics."""
        keyed = [((each.community, each.funnel), each) for each in totals]
        replace_children(self.entered, {key: each.entered for key, each in keyed})
        replace_children(self.sends, {key: each.sent for key, each in keyed})
        replace_children(
            self.enrollments, {(*key, state): count for key, each in keyed for state, count in _states(each).items()}
        )
        replace_children(
            self.conversion, {(*key, stage): each.conversion(stage) for key, each in keyed for stage in each.reached}
        )
        named = (
            (self.stage_reached, "reached"),
            (self.active, "active"),
            (self.finished, "finished"),
            (self.goals, "goals"),
            (self.offers, "offered"),
            (self.suppressed, "suppressed"),
            (self.delayed, "delayed"),
        )
        for gauge, attribute in named:
            replace_children(
                gauge, {(*key, name): count for key, each in keyed for name, count in getattr(each, attribute).items()}
            )


def _states(totals: FunnelTotals) -> dict[str, int]:
    return {
        "waiting": totals.entered - totals.ended - totals.stuck,
        "finished": totals.ended,
        "stuck": totals.stuck,
    }


WAVE, REPORT = "due-wave", "daily-report"
"""The flows, as they are called in Prefect and in metrics."""


class WaveMetrics:
    """How long chunks take, how many members they move, and which runs fail."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self._seconds = Histogram(
            "shequn_wave_chunk_seconds", "Time to advance one chunk of due members", buckets=_SECONDS, registry=registry
        )
        self._members = Histogram(
            "shequn_wave_chunk_members", "Members claimed by one chunk", buckets=_MEMBERS, registry=registry
        )

        failures = Counter(
            "shequn_flow_run_failures", "Runs of waves and reports that failed", ("flow",), registry=registry
        )
        # Both exist from the start: the first failure then is a rise that Prometheus sees.
        self._failures = {flow: failures.labels(flow) for flow in (WAVE, REPORT)}

    def observe(self, seconds: float, members: int) -> None:
        """Count one chunk."""
        self._seconds.observe(seconds)
        self._members.observe(members)

    def failed(self, flow: str) -> None:
        """Count a run that failed."""
        self._failures[flow].inc()
