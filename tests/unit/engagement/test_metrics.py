import pytest
from prometheus_client import CollectorRegistry

from services.engagement.domain.totals import CommunityTotals, GroupTotals, Pulse
from services.engagement.metrics import CommunityFigures, EngagementMetrics
from shequn.contracts.engagement import Tier

PULSE = Pulse(
    seen_today=4,
    participants_today=1,
    seen_this_month=9,
    tiers={7: {Tier.HIGH: 1, Tier.MIDDLE: 0, Tier.LOW: 3, Tier.INACTIVE: 5}},
)
FIGURES = CommunityFigures("readers", [GroupTotals("main", 30, 12, 5, 6)], CommunityTotals(30, 6, 9, 17), PULSE)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


class TestGauges:
    @pytest.mark.parametrize(
        ("name", "labels", "value"),
        [
            ("messages", {"group": "main"}, 30),
            ("replies", {"group": "main"}, 12),
            ("reactions", {"group": "main"}, 5),
            ("speakers", {"group": "main"}, 6),
            ("community_speakers", {}, 6),
            ("members_seen", {}, 9),
            ("members_by_tier", {"tier": "low", "window": "7"}, 3),
            ("dau", {}, 4),
            ("mau", {}, 9),
            ("participation_ratio", {}, 0.25),
            ("points_issued", {}, 17),
        ],
    )
    def test_show_the_figures(
        self, registry: CollectorRegistry, name: str, labels: dict[str, str], value: float
    ) -> None:
        EngagementMetrics(registry).show([FIGURES])
        found = registry.get_sample_value(f"shequn_engagement_{name}", {"community": "readers", **labels})
        assert found == value

    def test_forget_a_community_that_is_gone(self, registry: CollectorRegistry) -> None:
        metrics = EngagementMetrics(registry)
        metrics.show([FIGURES])
        metrics.show([])
        assert registry.get_sample_value("shequn_engagement_dau", {"community": "readers"}) is None


class TestParticipation:
    def test_is_nothing_when_nobody_was_seen(self) -> None:
        assert Pulse(0, 0, 0, {}).participation == 0.0
