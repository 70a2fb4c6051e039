"""Totals of groups and communities, as they are read from the store."""

from dataclasses import dataclass
from datetime import date

from shequn.contracts.engagement import Tier


@dataclass(frozen=True, slots=True)
class GroupTotals:
    """What happened in a group in all.

    Attributes:
        messages: messages posted, replies included.
        speakers: distinct members who posted. Four or five talkers make a group look alive: show it beside messages.
    """

    group: str
    messages: int
    replies: int
    reactions: int
    speakers: int


@dataclass(frozen=True, slots=True)
class CommunityTotals:
    """What happened in a community in all.

    Attributes:
        messages: messages posted in all groups.
        speakers: distinct members who posted anywhere.
        seen: distinct members who did anything.
        points: points issued to members.
    """

    messages: int
    speakers: int
    seen: int
    points: int


@dataclass(frozen=True, slots=True)
class DailyActivity:
    """One day of a community, in its zone.

    Attributes:
        seen: members who did anything; the daily active users.
        participants: members who posted or replied.
    """

    day: date
    seen: int
    participants: int

    @property
    def participation(self) -> float:
        """Give participants ÷ seen (DOMAIN §4); 0 when nobody was seen."""
        return participation(self.participants, self.seen)


@dataclass(frozen=True, slots=True)
class MonthlyActivity:
    """One month of a community, in its zone. ``month`` is its first day, ``seen`` the monthly active users."""

    month: date
    seen: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """A community at one moment.

    Attributes:
        seen_today: members who did anything since the day began.
        participants_today: members who posted or replied since then.
        seen_this_month: members who did anything since the month began.
        tiers: how many members ever seen are in each tier, by window in days.
    """

    seen_today: int
    participants_today: int
    seen_this_month: int
    tiers: dict[int, dict[Tier, int]]

    @property
    def participation(self) -> float:
        """Give participants ÷ seen of today; 0 when nobody was seen."""
        return participation(self.participants_today, self.seen_today)


def participation(participants: int, seen: int) -> float:
    """Give the share of the members seen who posted or replied; 0 when nobody was seen."""
    return participants / seen if seen else 0.0
