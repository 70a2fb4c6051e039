from datetime import timedelta

import pytest

from services.intake.domain.routing import KnownAccount, NoRoute, Route, priority_of, retry_at, route
from shequn.contracts.actions import OutcomeStatus
from shequn.contracts.base import AccountRef
from tests.unit.intake.builders import ANN, COMMUNITY, NOW, book, delete, minute, send

DEFINITION = book().current(COMMUNITY)
FORM = AccountRef(platform="form", account_id="ann@example.com")
WECHAT = AccountRef(platform="wechat", account_id="wx")


def known(account: AccountRef, at: float = 0) -> KnownAccount:
    return KnownAccount(account, minute(at))


class TestMember:
    def test_the_account_heard_of_last_is_taken(self) -> None:
        assert route(send("k"), [known(ANN, 1), known(WECHAT, 2)], None, NOW) == Route("wechat", account=WECHAT)

    def test_an_address_on_a_form_is_the_last_resort(self) -> None:
        assert route(send("k"), [known(ANN, 1), known(FORM, 2)], None, NOW) == Route("gitter", account=ANN)

    @pytest.mark.parametrize("turn", [1, -1])
    def test_of_two_on_one_platform_heard_of_at_once_the_order_of_rows_picks_none(self, turn: int) -> None:
        other = AccountRef(platform="gitter", account_id="bea")
        assert route(send("k"), [known(ANN), known(other)][::turn], None, NOW) == Route("gitter", account=other)

    def test_without_an_account_one_may_come(self) -> None:
        found = route(send("k"), [], None, NOW)
        assert isinstance(found, NoRoute)
        assert (found.status, found.may_come) == (OutcomeStatus.SUPPRESSED, True)


class TestGroup:
    def test_the_definition_says_where_it_is(self) -> None:
        assert route(send("k", group="paid"), [], DEFINITION, NOW) == Route("gitter", chat="room-2")

    def test_a_deletion_goes_to_its_group(self) -> None:
        assert route(delete("k"), [], DEFINITION, NOW) == Route("gitter", chat="room-1")

    def test_one_that_is_not_there_fails(self) -> None:
        found = route(send("k", group="cellar"), [], DEFINITION, NOW)
        assert isinstance(found, NoRoute)
        assert found.status is OutcomeStatus.FAILED

    def test_without_a_definition_it_fails(self) -> None:
        assert isinstance(route(send("k", group="paid"), [], None, NOW), NoRoute)

    def test_neither_member_nor_group_fails(self) -> None:
        assert isinstance(route(send("k", member_id=None), [], DEFINITION, NOW), NoRoute)


class TestDeadline:
    def test_it_is_the_last_moment(self) -> None:
        assert isinstance(route(send("k", not_after=NOW), [known(ANN)], None, NOW), Route)

    def test_past_it_nothing_goes_out(self) -> None:
        found = route(send("k", not_after=NOW), [known(ANN)], None, NOW + timedelta(seconds=1))
        assert isinstance(found, NoRoute)
        assert (found.status, found.may_come) == (OutcomeStatus.SUPPRESSED, False)


def test_disorder_is_removed_first() -> None:
    order = [delete("k"), send("k", not_after=NOW), send("k")]
    assert [priority_of(command) for command in order] == [0, 1, 2]


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 60), (10_000, 60)])
def test_each_retry_waits_twice_as_long(attempts: int, seconds: int) -> None:
    again = retry_at(NOW, attempts, timedelta(seconds=2), timedelta(seconds=60))
    assert again == NOW + timedelta(seconds=seconds)
