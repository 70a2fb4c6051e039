"""Points: members earn them when others reply or react to what they wrote.

Of the acts of one giver to one receiver in a day of the community, the dearest ``pair_cap_per_day`` count. So what a
pair is worth depends on how many replies and reactions there were, not on their order, and it never shrinks: a reply
that comes when the cap is full of reactions earns the difference.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, Self

from shequn.contracts import ids
from shequn.contracts.definitions.community import EngagementPolicy

Reason = Literal["reply", "reaction"]

ISSUE_ACCOUNT = "issue"
"""The account that points come from. Its balance is minus what all members hold."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Act:
    """A reply or a reaction that may earn points for the author of the message it points to.

    Attributes:
        reason: what it is.
        giver: the member who acted.
        at: when.
        day: the community's day of ``at``.
        key: the act's own id, derived from what it is; the same act never earns twice.
    """

    reason: Reason
    giver: str
    at: datetime
    day: date
    key: str

    def to_json(self) -> dict[str, str]:
        """Write the act as a JSON object."""
        return {
            "reason": self.reason,
            "giver": self.giver,
            "at": self.at.isoformat(),
            "day": self.day.isoformat(),
            "key": self.key,
        }

    @classmethod
    def from_json(cls, value: dict[str, str]) -> Self:
        """Read what ``to_json`` wrote."""
        return cls(
            reason="reply" if value["reason"] == "reply" else "reaction",
            giver=value["giver"],
            at=datetime.fromisoformat(value["at"]),
            day=date.fromisoformat(value["day"]),
            key=value["key"],
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """What one giver did for one receiver in one day, and the points it has earned."""

    replies: int = 0
    reactions: int = 0
    points: int = 0


def counted(tally: Tally, reason: Reason, policy: EngagementPolicy) -> Tally:
    """Count one more act. The points it earned are the difference; a cheaper policy takes none back."""
    replies = tally.replies + (reason == "reply")
    reactions = tally.reactions + (reason == "reaction")
    return Tally(replies, reactions, max(tally.points, worth(replies, reactions, policy)))


def worth(replies: int, reactions: int, policy: EngagementPolicy) -> int:
    """Give the points of the dearest ``pair_cap_per_day`` acts among so many replies and reactions."""
    dear, cheap = (replies, policy.points_per_reply), (reactions, policy.points_per_reaction)
    if cheap[1] > dear[1]:
        dear, cheap = cheap, dear
    dear_count = min(dear[0], policy.pair_cap_per_day)
    cheap_count = min(cheap[0], policy.pair_cap_per_day - dear_count)
    return dear_count * dear[1] + cheap_count * cheap[1]


def act_key(reason: Reason, day: date, *parts: str) -> str:
    """Derive an act's id from what makes it unique. The day comes first in it, which keeps the log's index local."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return ids.event_id(max(midnight, _EPOCH), reason, day.isoformat(), *parts)


def member_account(member_id: str) -> str:
    """Name the points account of a member."""
    return f"member:{member_id}"
