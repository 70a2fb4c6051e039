"""Consent, quiet hours and caps."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.engine.facts import MemberFacts, apply_event
from flows.engine.guards import check_send, quiet_until, zone_of
from shequn.contracts.definitions.funnel import Cap, Guards
from shequn.contracts.definitions.values import ClockWindow
from tests.unit.flows import samples as s

KNOWN = apply_event(MemberFacts(), s.joined())
NIGHT = ClockWindow(start=time(22), end=time(8))
SHANGHAI = "Asia/Shanghai"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestQuietHours:
    @pytest.mark.parametrize(
        ("zone", "now", "until"),
        [
            ("Asia/Shanghai", "2026-03-02T14:00", "2026-03-03T00:00"),
            ("Asia/Shanghai", "2026-03-02T23:59", "2026-03-03T00:00"),
            ("Asia/Shanghai", "2026-03-02T13:59", "2026-03-02T13:59"),
            # New York sets its clocks forward at 2:00 on 8 March 2026: that night is an hour shorter.
            ("America/New_York", "2026-03-08T03:30", "2026-03-08T12:00"),
            # And back at 2:00 on 1 November: that night is an hour longer.
            ("America/New_York", "2026-11-01T03:30", "2026-11-01T13:00"),
        ],
    )
    def test_end_by_the_clock_of_the_zone(self, zone: str, now: str, until: str) -> None:
        assert quiet_until(NIGHT, moment(now), ZoneInfo(zone)) == moment(until)

    def test_end_that_comes_twice_ends_them_twice(self) -> None:
        window = ClockWindow(start=time(22), end=time(1, 30))
        zone = ZoneInfo("America/New_York")
        # 1:15 the second time: 1:30 has been, and comes again.
        assert quiet_until(window, moment("2026-11-01T06:15"), zone) == moment("2026-11-01T06:30")

    def test_end_that_is_skipped_ends_them_at_the_old_clocks_time(self) -> None:
        window = ClockWindow(start=time(22), end=time(2, 30))
        assert quiet_until(window, moment("2026-03-08T06:00"), ZoneInfo("America/New_York")) == moment(
            "2026-03-08T07:30"
        )

    @given(
        st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        st.times(),
        st.times(),
        st.sampled_from(["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe", "UTC"]),
    )
    def test_never_let_a_send_out_inside_them(self, now: datetime, start: time, end: time, zone: str) -> None:
        window = ClockWindow(start=start, end=end)
        until = quiet_until(window, now, ZoneInfo(zone))
        assert not window.contains(until.astimezone(ZoneInfo(zone)).time())
        assert now <= until <= now + timedelta(days=2)

    def test_are_those_of_the_member(self) -> None:
        london = apply_event(MemberFacts(), s.joined(timezone="Europe/London"))
        guards = Guards(quiet=NIGHT)
        noon_in_shanghai = s.START
        assert check_send(guards, KNOWN, (), noon_in_shanghai, SHANGHAI) is None
        block = check_send(guards, london, (), noon_in_shanghai, SHANGHAI)
        assert block is not None
        assert (block.reason, block.until) == ("quiet", moment("2026-03-02T08:00"))


class TestZone:
    @pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", None, "Asia"])
    def test_that_does_not_exist_is_the_communitys(self, name: str | None) -> None:
        assert zone_of(name, SHANGHAI).key == SHANGHAI


class TestCap:
    def test_of_a_day_frees_24_hours_after_the_send_that_filled_it(self) -> None:
        guards = Guards(at_most=Cap(per_day=2))
        sends = (s.at(hours=-20), s.at(hours=-10), s.at(hours=-30))
        block = check_send(guards, KNOWN, sends, s.START, SHANGHAI)
        assert block is not None
        assert (block.reason, block.until) == ("cap-day", s.at(hours=4))

    def test_of_a_week_looks_back_168_hours(self) -> None:
        guards = Guards(at_most=Cap(per_week=1))
        assert check_send(guards, KNOWN, (s.at(days=-7),), s.START, SHANGHAI) is None
        block = check_send(guards, KNOWN, (s.at(days=-6),), s.START, SHANGHAI)
        assert block is not None
        assert block.until == s.at(days=1)

    def test_that_frees_at_night_waits_for_the_morning(self) -> None:
        guards = Guards(quiet=NIGHT, at_most=Cap(per_day=1))
        block = check_send(guards, KNOWN, (s.at(hours=-12),), s.START, SHANGHAI)
        assert block is not None
        # Midnight in Shanghai is quiet; it becomes eight o'clock.
        assert (block.reason, block.until) == ("cap-day", s.at(hours=20))

    @given(
        st.lists(st.integers(-200, 0), max_size=12),
        st.integers(1, 3),
        st.integers(1, 5),
        st.one_of(st.none(), st.just(NIGHT)),
    )
    def test_is_never_exceeded_when_the_send_waits(
        self, hours: list[int], per_day: int, per_week: int, quiet: ClockWindow | None
    ) -> None:
        guards = Guards(quiet=quiet, at_most=Cap(per_day=per_day, per_week=per_week))
        sends = tuple(s.at(hours=hour) for hour in hours)
        block = check_send(guards, KNOWN, sends, s.START, SHANGHAI)
        until = s.START if block is None else block.until
        assert until is not None
        assert check_send(guards, KNOWN, sends, until, SHANGHAI) is None
        assert sum(send > until - timedelta(hours=24) for send in sends) < per_day


class TestConsent:
    def test_that_is_missing_blocks_for_good(self) -> None:
        facts = apply_event(MemberFacts(), s.joined(consents=("rules:3",)))
        block = check_send(Guards(consent="messages"), facts, (), s.START, SHANGHAI)
        assert block is not None
        assert (block.reason, block.until) == ("consent", None)

    def test_of_a_member_not_known_yet_is_not_taken_for_a_no(self) -> None:
        block = check_send(Guards(consent="messages"), MemberFacts(), (), s.START, SHANGHAI)
        assert block is not None
        assert block.reason == "consent-unknown"

    def test_that_was_given_lets_go(self) -> None:
        assert check_send(Guards(consent="messages"), KNOWN, (), s.START, SHANGHAI) is None
