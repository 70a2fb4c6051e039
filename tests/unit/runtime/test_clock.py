from datetime import UTC, datetime, timedelta

import pytest

from shequn.runtime.clock import ScaledClock, SystemClock, parse_clock
from shequn.runtime.failures import ConfigError


class TestParseClock:
    def test_real_is_the_system_clock(self) -> None:
        assert isinstance(parse_clock("real"), SystemClock)

    def test_a_scaled_clock_survives_being_written_and_read(self) -> None:
        clock = ScaledClock(datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 6, 1, tzinfo=UTC), 43_200.0)
        assert parse_clock(str(clock)) == clock

    @pytest.mark.parametrize("setting", ["", "fast", "scaled:", "scaled:now/then/2", "scaled:2026-01-01/2026-01-01/x"])
    def test_anything_else_names_the_setting(self, setting: str) -> None:
        with pytest.raises(ConfigError, match="SHEQUN_CLOCK"):
            parse_clock(setting)

    def test_a_clock_that_stands_still_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="above 0"):
            parse_clock("scaled:2026-01-01T00:00:00+00:00/2026-01-01T00:00:00+00:00/0")


class TestScaledClock:
    def test_it_runs_by_its_factor(self) -> None:
        long_ago = datetime.now(UTC) - timedelta(seconds=10)
        clock = ScaledClock(long_ago, datetime(2030, 1, 1, tzinfo=UTC), 86_400.0)
        assert clock.now() - datetime(2030, 1, 1, tzinfo=UTC) >= timedelta(days=10)

    def test_a_virtual_day_lasts_a_real_second(self) -> None:
        clock = ScaledClock(datetime.now(UTC), datetime(2030, 1, 1, tzinfo=UTC), 86_400.0)
        assert clock.real_seconds(timedelta(days=3)) == 3
