"""Metrics plumbing: one registry a process, no ``_created`` series, process figures beside ours."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]


def new_registry() -> CollectorRegistry:
    """Make a registry with the process's own figures (memory, CPU, open files)."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


class RuntimeMetrics:
    """What every process shows of itself besides its folds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics."""
        self.ready = Gauge("shequn_ready", "1 when the process is ready to work", registry=registry)
        self.lag = Gauge(
            "shequn_consumer_pending", "Messages waiting for a durable consumer", ("consumer",), registry=registry
        )
        self.unacknowledged = Gauge(
            "shequn_consumer_unacknowledged",
            "Messages handed out and not acknowledged",
            ("consumer",),
            registry=registry,
        )
        self.redelivered = Gauge(
            "shequn_consumer_redelivered", "Messages handed out more than once", ("consumer",), registry=registry
        )
        self.outbox = Gauge("shequn_outbox_rows", "Messages decided but not yet published", registry=registry)
        self.loop_failures = Counter(
            "shequn_loop_failures",
            "How often a background loop failed and was started again",
            ("loop",),
            registry=registry,
        )


def replace_children(gauge: Gauge, values: dict[tuple[str, ...], float]) -> None:
    """Set a labelled gauge to exactly these children: what is gone from the store goes from the metrics."""
    gauge.clear()
    set_child: Callable[..., Gauge] = gauge.labels
    for labels, value in values.items():
        set_child(*labels).set(value)
