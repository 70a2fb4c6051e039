"""Referral codes, attribution and held commissions."""

from datetime import timedelta

import pytest

from services.commerce.domain.referrals import read_code
from services.commerce.tables import CODES, CUSTOMER_COUNTS, CUSTOMERS
from shequn.contracts.commerce import CommissionHeld, CommissionReversed, ReferralAttributed
from shequn.contracts.ids import referral_code
from tests.unit.commerce.shop import CLUB, LOW_MINOR, WINDOW, Shop, definition, joined, paid, refunded

HELD = "commission-payable:held:ann"
COMMISSION = 198
DAY = timedelta(days=1)


def referrer_of(shop: Shop, member: str) -> str | None:
    customer = shop.members.state(CUSTOMERS, CLUB, member)
    assert customer is not None
    return customer.referrer


class TestCode:
    def test_is_the_same_every_time(self) -> None:
        assert referral_code("club", "ann") == "A4X3RT5NQ3"

    def test_differs_by_member_and_community(self) -> None:
        codes = {referral_code(community, f"m{number}") for community in ("club", "choir") for number in range(1_000)}
        assert len(codes) == 2_000

    def test_has_ten_letters_that_nobody_confuses(self) -> None:
        letters = set("".join(referral_code("club", f"m{number}") for number in range(1_000)))
        assert len(referral_code("club", "ann")) == 10
        assert letters.isdisjoint("ILOU")

    @pytest.mark.parametrize(
        ("written", "code"),
        [
            ("ABCDE01234", "ABCDE01234"),
            ("abcde-0l234", "ABCDE01234"),
            ("abcde o1 234", "ABCDE01234"),
            ("ABCDE", None),
            ("ABCDE0123!", None),
            ("", None),
            (None, None),
        ],
    )
    def test_is_read_as_people_write_it(self, written: str | None, code: str | None) -> None:
        assert read_code(written) == code

    def test_belongs_to_the_member_once_joined(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"))
        row = shop.members.state(CODES, CLUB, referral_code(CLUB, "ann"))
        assert row is not None
        assert row.member_id == "ann"


class TestAttribution:
    def test_follows_the_code(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"), joined("bob", by="ann"))
        assert referrer_of(shop, "bob") == "ann"
        assert [(data.member_id, data.referrer) for data in shop.of_type(ReferralAttributed)] == [("bob", "ann")]

    def test_waits_for_the_referrer_s_joining(self) -> None:
        shop = Shop()
        shop.tell(joined("bob", by="ann"))
        assert referrer_of(shop, "bob") is None
        shop.tell(joined("ann"))
        assert referrer_of(shop, "bob") == "ann"

    def test_to_oneself_is_none(self) -> None:
        shop = Shop()
        shop.tell(joined("ann", by="ann"))
        assert referrer_of(shop, "ann") is None

    def test_without_evidence_is_none(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"), joined("bob", by="ann", evidence=None))
        assert referrer_of(shop, "bob") is None

    def test_by_evidence_the_policy_does_not_take_is_none(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"), joined("bob", by="ann", evidence="qr"))
        assert referrer_of(shop, "bob") is None

    def test_without_a_programme_is_none(self) -> None:
        shop = Shop(definition(referral=None))
        shop.tell(joined("ann"), joined("bob", by="ann"))
        assert referrer_of(shop, "bob") is None

    def test_counts_once(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"), joined("bob", by="ann"))
        assert shop.tell(joined("bob", by="ann"), joined("ann")) == []
        assert shop.members.counters(CUSTOMER_COUNTS)[CLUB,]["referrals"] == 1

    def test_of_two_joinings_is_that_of_the_earlier(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"), joined("cat"), joined("bob", by="cat", at=2 * DAY))
        shop.tell(joined("bob", by="ann", at=DAY))
        assert referrer_of(shop, "bob") == "ann"
        assert shop.members.counters(CUSTOMER_COUNTS)[CLUB,]["referrals"] == 1


class TestCommission:
    def brought(self, **joining: timedelta) -> Shop:
        shop = Shop()
        shop.tell(joined("ann"), joined("bob", by="ann", **joining))  # type: ignore[arg-type]
        return shop

    def test_is_held_on_a_sale(self) -> None:
        shop = self.brought()
        shop.tell(paid("p1", member="bob"))
        assert shop.balances()[HELD] == -COMMISSION
        assert [(data.member_id, data.buyer, data.amount.minor) for data in shop.of_type(CommissionHeld)] == [
            ("ann", "bob", COMMISSION)
        ]

    def test_is_rounded_down(self) -> None:
        shop = Shop(definition(referral=definition().referral.model_copy(update={"rate_basis_points": 1_999})))  # type: ignore[union-attr]
        shop.tell(joined("ann"), joined("bob", by="ann"), paid("p1", member="bob"))
        assert shop.balances()[HELD] == -197

    def test_is_on_the_price_and_not_on_what_was_overpaid(self) -> None:
        shop = self.brought()
        shop.tell(paid("p1", minor=5_000, member="bob"))
        assert shop.balances()[HELD] == -COMMISSION

    def test_is_reversed_in_proportion(self) -> None:
        shop = self.brought()
        shop.tell(paid("p1", member="bob"), refunded("p1", 333))
        assert shop.balances()[HELD] == -((LOW_MINOR - 333) * 2_000 // 10_000)

    def test_is_reversed_wholly_by_any_parts(self) -> None:
        shop = self.brought()
        shop.tell(paid("p1", member="bob"))
        shop.tell_one_by_one(refunded("p1", part, refund_id=f"r{part}") for part in (1, 333, 7, 649))
        assert HELD not in shop.balances()
        assert sum(data.amount.minor for data in shop.of_type(CommissionReversed)) == COMMISSION

    @pytest.mark.parametrize(
        ("after_joining", "held"),
        [(-timedelta(seconds=1), 0), (timedelta(), COMMISSION), (WINDOW, COMMISSION), (WINDOW + DAY, 0)],
    )
    def test_is_earned_inside_the_window_only(self, after_joining: timedelta, held: int) -> None:
        shop = self.brought(at=DAY)
        shop.tell(paid("p1", member="bob", at=DAY + after_joining))
        assert shop.balances().get(HELD, 0) == -held

    def test_is_not_earned_on_other_products(self) -> None:
        shop = self.brought()
        shop.tell(paid("p1", "hall", 50_000, member="bob"))
        assert HELD not in shop.balances()

    def test_is_not_earned_on_what_is_free(self) -> None:
        shop = self.brought()
        shop.tell(paid("p1", "free-week", 0, member="bob"))
        assert shop.of_type(CommissionHeld) == []

    def test_is_held_when_the_joining_comes_after_the_payment(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"))
        shop.tell(paid("p1", member="bob", at=DAY))
        shop.tell(joined("bob", by="ann"))
        assert shop.balances()[HELD] == -COMMISSION

    def test_is_held_when_the_referrer_is_known_last(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", member="bob", at=DAY))
        shop.tell(joined("bob", by="ann"))
        shop.tell(joined("ann"))
        assert shop.balances()[HELD] == -COMMISSION

    def test_of_a_refunded_order_is_held_and_reversed(self) -> None:
        shop = Shop()
        shop.tell(paid("p1", member="bob", at=DAY), refunded("p1"))
        shop.tell(joined("ann"), joined("bob", by="ann"))
        assert [data.amount.minor for data in shop.of_type(CommissionHeld)] == [COMMISSION]
        assert [data.amount.minor for data in shop.of_type(CommissionReversed)] == [COMMISSION]
        assert HELD not in shop.balances()

    def test_moves_to_the_referrer_of_the_earlier_joining(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"), joined("cat"), joined("bob", by="cat", at=2 * DAY))
        shop.tell(paid("p1", member="bob", at=3 * DAY))
        shop.tell(joined("bob", by="ann", at=DAY))
        assert shop.balances()[HELD] == -COMMISSION
        assert "commission-payable:held:cat" not in shop.balances()

    def test_is_not_paid_on_a_second_level(self) -> None:
        shop = Shop()
        shop.tell(joined("ann"), joined("bob", by="ann"), joined("cat", by="bob"), paid("p1", member="cat"))
        assert HELD not in shop.balances()

    def test_keeps_its_rate_when_the_programme_changes(self) -> None:
        shop = self.brought()
        shop.tell(paid("p1", member="bob", at=DAY))
        policy = definition().referral
        assert policy is not None
        dearer = definition(referral=policy.model_copy(update={"rate_basis_points": 5_000}))
        shop.payments.book.definitions.append(dearer)
        shop.tell(paid("p1", member="bob"))
        assert shop.balances()[HELD] == -COMMISSION
