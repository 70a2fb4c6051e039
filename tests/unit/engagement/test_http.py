from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.engagement.domain.states import Member
from services.engagement.domain.totals import CommunityTotals, GroupTotals
from services.engagement.errors import UnknownMemberError
from services.engagement.http import routes
from shequn.runtime.failures import TransientError
from shequn.testing.memory import MemoryBook
from tests.unit.engagement.builders import COMMUNITY, definition

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ANN = Member(
    COMMUNITY,
    "ann",
    last_originated_at=NOW - timedelta(days=10),
    last_replied_at=NOW - timedelta(days=1),
    first_posted_at=NOW - timedelta(days=20),
    spoke_in=["main"],
    points=7,
)


class StillClock:
    def now(self) -> datetime:
        return NOW

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


class ReaderOfAnn:
    away = False

    async def member(self, community: str, member_id: str) -> Member:
        if self.away:
            raise TransientError("PostgreSQL does not answer")
        if member_id != "ann":
            raise UnknownMemberError(community, member_id)
        return ANN

    async def totals(self, community: str) -> tuple[CommunityTotals, list[GroupTotals]]:
        if self.away:
            raise TransientError("PostgreSQL does not answer")
        return CommunityTotals(3, 1, 2, 7), [GroupTotals("main", 3, 1, 2, 1)]


@pytest.fixture
def reader() -> ReaderOfAnn:
    return ReaderOfAnn()


@pytest.fixture
def client(reader: ReaderOfAnn) -> TestClient:
    return TestClient(Starlette(routes=routes(reader, MemoryBook([definition()]), StillClock())))


class TestMembers:
    def test_shows_tiers_by_window(self, client: TestClient) -> None:
        body = client.get(f"/members/{COMMUNITY}/ann").json()
        assert body["tiers"] == {"7": "middle", "30": "high"}

    def test_shows_points_and_last_act(self, client: TestClient) -> None:
        body = client.get(f"/members/{COMMUNITY}/ann").json()
        assert (body["points"], body["last_active_at"]) == (7, "2026-01-30T00:00:00+00:00")

    @pytest.mark.parametrize("path", [f"/members/{COMMUNITY}/nobody", "/members/strangers/ann", "/groups/strangers"])
    def test_answers_what_is_not_known_with_a_problem(self, client: TestClient, path: str) -> None:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")

    def test_names_who_is_not_known(self, client: TestClient) -> None:
        assert "'nobody'" in client.get(f"/members/{COMMUNITY}/nobody").json()["detail"]


class TestGroups:
    def test_shows_totals(self, client: TestClient) -> None:
        assert client.get(f"/groups/{COMMUNITY}").json() == {
            "community": COMMUNITY,
            "messages": 3,
            "speakers": 1,
            "members_seen": 2,
            "points_issued": 7,
            "groups": [{"group": "main", "messages": 3, "replies": 1, "reactions": 2, "speakers": 1}],
        }


class TestStoreAway:
    @pytest.mark.parametrize("path", [f"/members/{COMMUNITY}/ann", f"/groups/{COMMUNITY}"])
    def test_is_a_problem_that_passes(self, reader: ReaderOfAnn, client: TestClient, path: str) -> None:
        reader.away = True
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
