"""From what the checks say to what is decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from shequn.contracts.moderation import CheckResult, Verdict

_SEVERITY = {verdict: level for level, verdict in enumerate(Verdict)}


def severity(verdict: Verdict) -> int:
    """Give how bad a verdict is: 0 for pass."""
    return _SEVERITY[verdict]


@dataclass(frozen=True, slots=True)
class Offending:
    """What all checks together say of a message that breaks a rule.

    Attributes:
        deciding: the worst answer; of equal ones the first.
        results: what every check said.
    """

    deciding: CheckResult
    results: tuple[CheckResult, ...]

    @property
    def verdict(self) -> Verdict:
        """What is done with the message."""
        return self.deciding.verdict


def decide(results: Sequence[CheckResult]) -> Offending | None:
    """Take the worst verdict; the first check among equals decides. None when every check passes."""
    worst: CheckResult | None = None
    for result in results:
        if result.verdict is not Verdict.PASS and (
            worst is None or _SEVERITY[result.verdict] > _SEVERITY[worst.verdict]
        ):
            worst = result
    return None if worst is None else Offending(worst, tuple(results))
