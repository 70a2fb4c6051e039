import pytest

from services.moderation.domain.policy import decide
from shequn.contracts.moderation import CheckResult, Verdict


def results(*verdicts: str) -> list[CheckResult]:
    return [
        CheckResult(check=f"c{number}", verdict=Verdict(verdict), reason="r") for number, verdict in enumerate(verdicts)
    ]


class TestDecide:
    @pytest.mark.parametrize(
        ("verdicts", "verdict", "check"),
        [
            (("pass", "flag", "pass"), Verdict.FLAG, "c1"),
            (("flag", "delete", "flag"), Verdict.DELETE, "c1"),
            (("delete", "delete"), Verdict.DELETE, "c0"),
            (("flag", "flag"), Verdict.FLAG, "c0"),
        ],
    )
    def test_the_worst_verdict_decides_the_first_among_equals(
        self, verdicts: tuple[str, ...], verdict: Verdict, check: str
    ) -> None:
        offending = decide(results(*verdicts))
        assert offending is not None
        assert (offending.verdict, offending.deciding.check) == (verdict, check)

    def test_keeps_every_answer(self) -> None:
        offending = decide(results("pass", "flag"))
        assert offending is not None
        assert len(offending.results) == 2

    @pytest.mark.parametrize("verdicts", [(), ("pass",), ("pass", "pass")])
    def test_nothing_offends_when_all_pass(self, verdicts: tuple[str, ...]) -> None:
        assert decide(results(*verdicts)) is None
