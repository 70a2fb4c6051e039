"""What people and programs may ask of engagement."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.engagement.domain.states import Member
from services.engagement.domain.tiers import tier_at
from services.engagement.domain.totals import CommunityTotals, GroupTotals
from services.engagement.errors import UnknownMemberError
from shequn.contracts.definitions.community import EngagementPolicy
from shequn.runtime.clock import Clock
from shequn.runtime.failures import TransientError, UnknownCommunityError
from shequn.runtime.fold.workspace import DefinitionBook
from shequn.runtime.problems import problem


class Reader(Protocol):
    """Reads what is asked for."""

    async def member(self, community: str, member_id: str) -> Member:
        """Read a member's state.

        Raises:
            UnknownMemberError: nothing is known of the member.
        """
        ...

    async def totals(self, community: str) -> tuple[CommunityTotals, list[GroupTotals]]:
        """Read the totals of a community and its groups."""
        ...


def routes(reader: Reader, definitions: DefinitionBook, clock: Clock) -> list[Route]:
    """Make the routes ``/members/{community}/{member_id}`` and ``/groups/{community}``.

    Both answer 404 with a problem body for what is not known, and 503 while the store is away.
    """

    async def member_profile(request: Request) -> Response:
        community, member_id = request.path_params["community"], request.path_params["member_id"]
        try:
            policy = definitions.current(community).engagement
            member = await reader.member(community, member_id)
        except (UnknownCommunityError, UnknownMemberError) as error:
            return problem(404, "not known", str(error))
        except TransientError as error:
            return problem(503, "try again later", str(error))
        return JSONResponse(profile(member, policy, clock.now()))

    async def group_totals(request: Request) -> Response:
        community = request.path_params["community"]
        try:
            definitions.current(community)
            totals, groups = await reader.totals(community)
        except UnknownCommunityError as error:
            return problem(404, "not known", str(error))
        except TransientError as error:
            return problem(503, "try again later", str(error))
        return JSONResponse(overview(community, totals, groups))

    return [
        Route("/members/{community}/{member_id}", member_profile),
        Route("/groups/{community}", group_totals),
    ]


def profile(member: Member, policy: EngagementPolicy, now: datetime) -> dict[str, Any]:
    """Give what is shown of a member: tiers by window at ``now``, points, and first and last acts."""
    last_acts = (member.last_originated_at, member.last_replied_at, member.last_reacted_at)
    return {
        "community": member.community,
        "member_id": member.member_id,
        "tiers": {str(days): tier_at(*last_acts, timedelta(days=days), now).value for days in policy.tier_windows_days},
        "points": member.points,
        "last_active_at": _written(max((at for at in last_acts if at is not None), default=None)),
        "last_originated_at": _written(member.last_originated_at),
        "last_replied_at": _written(member.last_replied_at),
        "last_reacted_at": _written(member.last_reacted_at),
        "first_posted_at": _written(member.first_posted_at),
        "first_replied_at": _written(member.first_replied_at),
        "groups": member.spoke_in,
    }


def overview(community: str, totals: CommunityTotals, groups: list[GroupTotals]) -> dict[str, Any]:
    """Give what is shown of a community and its groups."""
    return {
        "community": community,
        "messages": totals.messages,
        "speakers": totals.speakers,
        "members_seen": totals.seen,
        "points_issued": totals.points,
        "groups": [
            {
                "group": group.group,
                "messages": group.messages,
                "replies": group.replies,
                "reactions": group.reactions,
                "speakers": group.speakers,
            }
            for group in groups
        ],
    }


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
