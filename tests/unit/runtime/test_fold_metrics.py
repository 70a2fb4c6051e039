"""What the fold runtime counts."""

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest

from shequn.runtime.fold.metrics import BatchHistogram

AMOUNTS = (0.001, 0.005, 0.007, 0.3, 90.0)
BUCKETS = (0.005, 0.5, 10.0)


def samples(registry: CollectorRegistry) -> list[str]:
    """What Prometheus reads, but for the moments at which the metrics were made."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


class TestBatchHistogram:
    def test_shows_what_a_histogram_shows_of_the_same_amounts(self) -> None:
        one_by_one, at_once = CollectorRegistry(), CollectorRegistry()
        plain = Histogram("age", "Age", ("consumer",), buckets=BUCKETS, registry=one_by_one).labels("chat")
        for amount in AMOUNTS:
            plain.observe(amount)
        BatchHistogram("age", "Age", ("consumer",), buckets=BUCKETS, registry=at_once).labels("chat").observe_many(
            AMOUNTS
        )
        assert samples(at_once) == samples(one_by_one)
