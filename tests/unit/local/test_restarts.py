"""When a crashed process is started again, and when it is given up."""

from shequn.local.restarts import CrashHistory, RestartPolicy

POLICY = RestartPolicy(first_delay=1.0, factor=2.0, longest_delay=5.0, crashes=5, within=60.0, stable_after=20.0)


class TestDelay:
    def test_grows_by_the_factor_up_to_the_cap(self) -> None:
        history = CrashHistory(POLICY)
        delays = [history.record(now=float(at), ready_seconds=0.0) for at in range(4)]
        assert delays == [1.0, 2.0, 4.0, 5.0]

    def test_starts_over_after_a_stable_life(self) -> None:
        history = CrashHistory(POLICY)
        history.record(now=0.0, ready_seconds=0.0)
        history.record(now=1.0, ready_seconds=0.0)
        assert history.record(now=30.0, ready_seconds=20.0) == 1.0


class TestGivingUp:
    def test_at_the_last_allowed_crash_within_the_window(self) -> None:
        history = CrashHistory(POLICY)
        delays = [history.record(now=at * 15.0, ready_seconds=0.0) for at in range(5)]
        assert delays[-1] is None

    def test_not_when_crashes_are_spread_wider_than_the_window(self) -> None:
        history = CrashHistory(POLICY)
        delays = [history.record(now=at * 15.1, ready_seconds=0.0) for at in range(50)]
        assert None not in delays

    def test_not_when_stable_lives_lie_between(self) -> None:
        history = CrashHistory(POLICY)
        delays = [history.record(now=float(at), ready_seconds=20.0) for at in range(50)]
        assert set(delays) == {1.0}
