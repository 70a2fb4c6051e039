"""From what was measured of each variant to the figures of a round."""

import pytest

from bench.report import unit_of
from bench.spine.command import BARS, UNITS, figures_of

RESULTS = {
    "services": {"per_second": 6_000.0, "drain_per_second": 7_000.0, "cpu_us_moderation": 90.0},
    "naive": {"per_second": 500.0},
    "ceiling": {"per_second": 12_000.0},
    "whole": {"webhook_to_effect_p50_ms": 12.0, "webhook_to_effect_p99_ms": 40.0, "rss_mb_max": 120.0},
}


class TestFigures:
    def test_ratio_to_naive_is_how_many_times_as_fast(self) -> None:
        assert figures_of(RESULTS)["ratio_to_naive"] == 12

    def test_ratio_to_ceiling_is_the_share_of_it(self) -> None:
        assert figures_of(RESULTS)["ratio_to_ceiling"] == pytest.approx(0.5)

    def test_hold_every_figure_that_has_a_bar(self) -> None:
        assert figures_of(RESULTS).keys() >= BARS.keys()

    def test_tell_the_cost_of_each_process(self) -> None:
        assert figures_of(RESULTS)["cpu_us_moderation"] == 90

    @pytest.mark.parametrize(
        ("figure", "unit"),
        [
            ("chat_events_per_second", "events/s"),
            ("webhook_to_effect_p99_ms", "ms"),
            ("rss_mb_worker", "MB"),
            ("cpu_us_nats", "µs/event"),
            ("ratio_to_naive", ""),
        ],
    )
    def test_have_units(self, figure: str, unit: str) -> None:
        assert unit_of(figure, UNITS) == unit
