"""What people and programs are answered."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.commerce.domain.orders import Order
from services.commerce.domain.pricing import Stock
from services.commerce.errors import CodeTakenError, UnknownMemberError, UnknownOrderError
from services.commerce.http import routes
from services.commerce.store import Referral
from services.commerce.tables import STOCK
from shequn.contracts.ids import referral_code
from shequn.runtime.failures import TransientError
from shequn.testing.memory import MemoryBook
from tests.unit.commerce.shop import CLUB, Shop, definition, paid, refunded


class ReaderOfShop:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.away = False

    async def order(self, community: str, provider: str, payment_id: str) -> Order:
        if self.away:
            raise TransientError("PostgreSQL does not answer")
        if payment_id not in self.shop.orders():
            raise UnknownOrderError(community, provider, payment_id)
        return self.shop.order(payment_id)

    async def stock(self, community: str, product: str) -> Stock:
        return self.shop.payments.state(STOCK, community, product) or Stock(community, product)

    async def referral(self, community: str, member_id: str) -> Referral:
        code = referral_code(community, member_id)
        if member_id == "nobody":
            raise UnknownMemberError(community, member_id)
        if member_id == "twin":
            raise CodeTakenError(community, member_id, code)
        return Referral(community, member_id, code, "eve", {"CNY": 198})


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def reader(shop: Shop) -> ReaderOfShop:
    return ReaderOfShop(shop)


@pytest.fixture
def client(reader: ReaderOfShop) -> TestClient:
    return TestClient(Starlette(routes=routes(reader, MemoryBook([definition()]))))


class TestQuote:
    def test_shows_price_and_seat(self, client: TestClient) -> None:
        shown = client.get(f"/quote/{CLUB}/hall").json()
        assert shown["price"] == {"minor": 50_000, "currency": "CNY"}
        assert (shown["tier"], shown["seat"]) == (1, 1)

    def test_says_why(self, client: TestClient) -> None:
        shown = client.get(f"/quote/{CLUB}/hall").json()
        assert shown["explanation"]["zh"] == "第 1 份，共 100 份；第 1–30 份每份 500.00 CNY"

    def test_follows_what_is_sold(self, shop: Shop, client: TestClient) -> None:
        shop.tell(*[paid(f"p{number}", "hall", 50_000) for number in range(30)])
        assert client.get(f"/quote/{CLUB}/hall").json()["price"]["minor"] == 100_000

    def test_of_what_is_sold_out_conflicts(self, shop: Shop, client: TestClient) -> None:
        shop.tell(*[paid(f"p{number}", "hall", 50_000 if number < 30 else 100_000) for number in range(100)])
        answer = client.get(f"/quote/{CLUB}/hall")
        assert (answer.status_code, answer.json()["title"]) == (409, "sold out")

    @pytest.mark.parametrize("path", [f"/quote/{CLUB}/ghost", "/quote/nowhere/hall"])
    def test_of_what_is_not_known_is_a_problem(self, client: TestClient, path: str) -> None:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


class TestOrder:
    def test_shows_state_and_money(self, shop: Shop, client: TestClient) -> None:
        shop.tell(paid("p1", minor=1_000), refunded("p1", 110))
        shown = client.get(f"/orders/{CLUB}/stripe/p1").json()
        assert (shown["state"], shown["entitled"]) == ("part-refunded", True)
        assert (shown["paid_minor"], shown["overpaid_minor"], shown["refunded_minor"]) == (1_000, 10, 110)

    def test_shows_why_a_payment_is_parked(self, shop: Shop, client: TestClient) -> None:
        shop.tell(paid("p1", "camp-mid", 50_000))
        shown = client.get(f"/orders/{CLUB}/stripe/p1").json()
        assert (shown["reason"], shown["detail"]) == ("not-eligible", "camp-mid requires one of course-low")

    def test_shows_a_refund_that_waits(self, shop: Shop, client: TestClient) -> None:
        shop.tell(refunded("p1"))
        assert client.get(f"/orders/{CLUB}/stripe/p1").json()["state"] == "awaiting-payment"

    def test_that_is_not_known_is_a_problem(self, client: TestClient) -> None:
        answer = client.get(f"/orders/{CLUB}/stripe/p1")
        assert answer.status_code == 404
        assert "'p1'" in answer.json()["detail"]

    def test_while_the_store_is_away_is_a_problem_that_passes(self, reader: ReaderOfShop, client: TestClient) -> None:
        reader.away = True
        assert client.get(f"/orders/{CLUB}/stripe/p1").status_code == 503


class TestReferral:
    def test_shows_the_code_and_what_it_brought(self, client: TestClient) -> None:
        assert client.get(f"/members/{CLUB}/ann/referral").json() == {
            "community": CLUB,
            "member_id": "ann",
            "code": referral_code(CLUB, "ann"),
            "referrer": "eve",
            "held_minor": {"CNY": 198},
        }

    @pytest.mark.parametrize(("member", "status"), [("nobody", 404), ("twin", 409)])
    def test_that_cannot_be_shown_is_a_problem(self, client: TestClient, member: str, status: int) -> None:
        assert client.get(f"/members/{CLUB}/{member}/referral").status_code == status
