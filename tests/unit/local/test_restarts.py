"""When a crashed process is started again, and when it counts as one that keeps crashing."""

from shequn.local.restarts import CrashHistory, RestartPolicy

POLICY = RestartPolicy(first_delay=1.0, factor=2.0, longest_delay=5.0, crashes=5, stable_after=20.0)


class TestDelay:
    def test_grows_by_the_factor_up_to_the_cap(self) -> None:
        history = CrashHistory(POLICY)
        delays = [history.record(now=float(at), ready_seconds=0.0) for at in range(4)]
        assert delays == [1.0, 2.0, 4.0, 5.0]

    def test_stays_at_the_cap_for_days(self) -> None:
        history = CrashHistory(POLICY)
        delays = [history.record(now=at * 5.0, ready_seconds=0.0) for at in range(20_000)]
        assert delays[-1] == 5.0

    def test_starts_over_after_a_stable_life(self) -> None:
        history = CrashHistory(POLICY)
        history.record(now=0.0, ready_seconds=0.0)
        history.record(now=1.0, ready_seconds=0.0)
        assert history.record(now=30.0, ready_seconds=20.0) == 1.0


class TestCrashing:
    def test_begins_with_the_last_allowed_crash(self) -> None:
        history = CrashHistory(POLICY)
        seen = []
        for at in range(5):
            history.record(now=float(at), ready_seconds=0.0)
            seen.append(history.crashing)
        assert seen == [False, False, False, False, True]

    def test_does_not_begin_when_stable_lives_lie_between(self) -> None:
        history = CrashHistory(POLICY)
        for at in range(50):
            history.record(now=float(at), ready_seconds=20.0)
        assert not history.crashing

    def test_ends_when_the_row_is_forgotten(self) -> None:
        history = CrashHistory(POLICY)
        for at in range(5):
            history.record(now=float(at), ready_seconds=0.0)
        history.forget()
        assert not history.crashing
        assert history.record(now=9.0, ready_seconds=0.0) == 1.0

    def test_says_how_often_in_how_long(self) -> None:
        history = CrashHistory(POLICY)
        for at in (100.0, 103.0, 108.0):
            history.record(now=at, ready_seconds=1.0)
        assert str(history) == "3 crashes in a row within 8 s"
