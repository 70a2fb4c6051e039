"""What engagement must end with: the facts counted in one plain pass, with everything known beforehand."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shequn.contracts.envelope import Envelope
from tests.unit.engagement.builders import message, reaction

REPLY_POINTS, REACTION_POINTS, CAP = 2, 1, 3


@dataclass(frozen=True)
class Posted:
    group: str
    message_id: str
    author: str
    at: datetime
    reply_to: str | None
    told: bool


@dataclass(frozen=True)
class Reacted:
    group: str
    target: str
    giver: str
    emoji: str
    at: datetime
    told: bool


Fact = Posted | Reacted


def events_of(facts: list[Fact], source: str) -> list[Envelope]:
    authors = {(fact.group, fact.message_id): fact.author for fact in facts if isinstance(fact, Posted)}
    events: list[Envelope] = []
    for fact in facts:
        if isinstance(fact, Posted):
            told = authors.get((fact.group, fact.reply_to or "")) if fact.told else None
            events.append(
                message(
                    fact.author,
                    fact.message_id,
                    fact.at,
                    reply_to=fact.reply_to,
                    told_author=told,
                    group=fact.group,
                    source=source,
                )
            )
        else:
            told = authors.get((fact.group, fact.target)) if fact.told else None
            events.append(
                reaction(
                    fact.giver,
                    fact.target,
                    fact.at,
                    emoji=fact.emoji,
                    told_author=told,
                    group=fact.group,
                    source=source,
                )
            )
    return events


class OnePass:
    """The facts of one community, counted plainly."""

    def __init__(self, facts: list[Fact], timezone: str) -> None:
        self.zone = ZoneInfo(timezone)
        self.posts = [fact for fact in facts if isinstance(fact, Posted)]
        by_day = {(f.group, f.target, f.giver, f.emoji, self.day(f.at)): f for f in facts if isinstance(f, Reacted)}
        self.reactions = list(by_day.values())
        self.all_reactions = [fact for fact in facts if isinstance(fact, Reacted)]
        self.authors = {(fact.group, fact.message_id): fact.author for fact in self.posts}

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def member_days(self) -> dict[tuple[str, str, date], tuple[int, int, int]]:
        sums: defaultdict[tuple[str, str, date], list[int]] = defaultdict(lambda: [0, 0, 0])
        for post in self.posts:
            sums[post.group, post.author, self.day(post.at)][0] += 1
            sums[post.group, post.author, self.day(post.at)][1] += post.reply_to is not None
        for given_one in self.reactions:
            sums[given_one.group, given_one.giver, self.day(given_one.at)][2] += 1
        return {key: (value[0], value[1], value[2]) for key, value in sums.items()}

    def groups(self) -> dict[str, tuple[int, int, int, int]]:
        touched = {post.group for post in self.posts} | {item.group for item in self.reactions}
        return {
            group: (
                sum(post.group == group for post in self.posts),
                sum(post.group == group and post.reply_to is not None for post in self.posts),
                sum(item.group == group for item in self.reactions),
                len({post.author for post in self.posts if post.group == group}),
            )
            for group in touched
        }

    def pairs(self) -> dict[tuple[str, str, date], tuple[int, int, int]]:
        acts: Counter[tuple[str, str, date, bool]] = Counter()
        for post in self.posts:
            receiver = self.authors.get((post.group, post.reply_to or ""))
            if receiver is not None and receiver != post.author:
                acts[post.author, receiver, self.day(post.at), True] += 1
        for item in self.reactions:
            receiver = self.authors.get((item.group, item.target))
            if receiver is not None and receiver != item.giver:
                acts[item.giver, receiver, self.day(item.at), False] += 1
        pairs = {key[:3] for key in acts}
        return {pair: self.tally(acts[(*pair, True)], acts[(*pair, False)]) for pair in pairs}

    @staticmethod
    def tally(replies: int, reactions: int) -> tuple[int, int, int]:
        worth = sorted([REPLY_POINTS] * replies + [REACTION_POINTS] * reactions, reverse=True)
        return replies, reactions, sum(worth[:CAP])

    def balances(self) -> Counter[str]:
        totals: Counter[str] = Counter()
        for (_, receiver, _), (_, _, points) in self.pairs().items():
            totals[receiver] += points
        return totals

    def days(self) -> dict[date, tuple[int, int]]:
        """Members seen and members who posted, by day."""
        rows = self.member_days()
        return {
            day: (
                len({member for _, member, at in rows if at == day}),
                len({member for (_, member, at), (messages, _, _) in rows.items() if at == day and messages}),
            )
            for day in {key[2] for key in rows}
        }

    def months(self) -> dict[date, int]:
        """Members seen, by month."""
        seen = {(member, day.replace(day=1)) for _, member, day in self.member_days()}
        return dict(Counter(month for _, month in seen))

    def members(self) -> set[str]:
        """Members who did anything."""
        return {member for _, member, _ in self.member_days()}

    def moments(self, member: str) -> tuple[datetime | None, ...]:
        posts = [post for post in self.posts if post.author == member]
        originated = [post.at for post in posts if post.reply_to is None]
        replied = [post.at for post in posts if post.reply_to is not None]
        reacted_at = [item.at for item in self.all_reactions if item.giver == member]
        return (
            max(originated, default=None),
            max(replied, default=None),
            max(reacted_at, default=None),
            min((post.at for post in posts), default=None),
            min(replied, default=None),
        )

    def tier(self, member: str, now: datetime, days: int = 7) -> str:
        since = now - timedelta(days=days)
        for moment, tier in zip(self.moments(member), ("high", "middle", "low"), strict=False):
            if moment is not None and moment > since:
                return tier
        return "inactive"
