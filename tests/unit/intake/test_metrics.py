import pytest
from prometheus_client import CollectorRegistry

from services.intake.metrics import IntakeMetrics
from services.intake.store import Totals

TOTALS = Totals(
    members={"club": (3, 1)},
    actions={("club", "actions.message.send.v1"): (5, 2)},
    settled={("club", "actions.message.send.v1", "delivered"): 4},
    waiting={"pending": 1},
)


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    IntakeMetrics(registry).show(TOTALS)
    return registry


SEND = {"community": "club", "action": "actions.message.send.v1"}


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("members", {"community": "club", "standing": "active"}, 3),
        ("members", {"community": "club", "standing": "left"}, 1),
        ("actions", SEND, 5),
        ("action_duplicates", SEND, 2),
        ("actions_settled", {**SEND, "status": "delivered"}, 4),
        ("actions_waiting", {"status": "pending"}, 1),
        ("actions_waiting", {"status": "sending"}, 0),
    ],
)
def test_a_gauge_shows_what_is_stored(
    registry: CollectorRegistry, name: str, labels: dict[str, str], value: int
) -> None:
    assert registry.get_sample_value(f"shequn_intake_{name}", labels) == value


def test_what_is_gone_from_the_store_goes() -> None:
    registry = CollectorRegistry()
    metrics = IntakeMetrics(registry)
    metrics.show(TOTALS)
    metrics.show(Totals({}, {}, {}, {}))
    assert registry.get_sample_value("shequn_intake_actions", SEND) is None
