from datetime import UTC, datetime

import pytest

from shequn.adapters import Outcome
from shequn.adapters import errors as tree
from shequn.contracts.actions import OutcomeStatus
from shequn.runtime.failures import PermanentError, TransientError

SOON = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (tree.RateLimitedError(SOON), OutcomeStatus.DELAYED),
        (tree.PlatformAwayError("away"), OutcomeStatus.DELAYED),
        (tree.WindowClosedError("closed"), OutcomeStatus.SUPPRESSED),
        (tree.ForbiddenError("no"), OutcomeStatus.FAILED),
        (tree.AccountBannedError("banned"), OutcomeStatus.FAILED),
        (tree.TargetGoneError("gone"), OutcomeStatus.FAILED),
        (tree.UnsupportedActionError("cannot"), OutcomeStatus.FAILED),
        (tree.UnknownDeliveryError("lost"), OutcomeStatus.UNKNOWN),
    ],
)
def test_each_error_says_what_becomes_of_the_action(error: tree.ActionError, status: OutcomeStatus) -> None:
    assert Outcome.of_error(error).status is status


def test_only_delays_are_transient() -> None:
    kinds = [tree.RateLimitedError, tree.PlatformAwayError, tree.ForbiddenError, tree.UnknownDeliveryError]
    assert [issubclass(kind, TransientError) for kind in kinds] == [True, True, False, False]
    assert issubclass(tree.ForbiddenError, PermanentError)


def test_a_rate_limit_says_until_when() -> None:
    assert Outcome.of_error(tree.RateLimitedError(SOON)).until == SOON


def test_a_malformed_body_names_the_field() -> None:
    assert str(tree.MalformedError("data.group", "no such group")) == "data.group: no such group"
