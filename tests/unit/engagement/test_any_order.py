"""Any order, any batches, any duplicates: the same end, and the end that one plain pass over the facts gives."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import groupby
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.engagement.handlers import ChatFolder
from services.engagement.tables import GIVINGS, GROUP_TOTALS, MEMBER_DAYS, MEMBERS, POINTS_LOG
from shequn.contracts.engagement import FirstPosted, FirstReplied
from shequn.contracts.envelope import Envelope
from shequn.testing.memory import FoldRunner
from tests.unit.engagement.builders import COMMUNITY, definition
from tests.unit.engagement.one_pass import CAP, REACTION_POINTS, REPLY_POINTS, Fact, OnePass, Posted, Reacted, events_of

NOW = datetime(2026, 3, 15, 2, tzinfo=UTC)
BEGIN = datetime(2026, 3, 7, tzinfo=UTC)
MEMBERS_AT_PLAY = ("ann", "bob", "cat")
GROUPS = ("main", "side")


# A narrow span around New York's change to summer time (March 8), so that many acts share a day or miss it by little.
moments = st.integers(0, 2 * 24).map(lambda hours: BEGIN + timedelta(hours=hours))
# Five ids in each group may be messages; the last one is pointed to and never comes.
targets = st.integers(0, 5).map(str)
members = st.sampled_from(MEMBERS_AT_PLAY)
posted = st.builds(
    Posted,
    group=st.sampled_from(GROUPS),
    message_id=st.integers(0, 4).map(str),
    author=members,
    at=moments,
    reply_to=st.none() | targets,
    told=st.booleans(),
)
reacted = st.builds(
    Reacted,
    group=st.sampled_from(GROUPS),
    target=targets,
    giver=members,
    emoji=st.sampled_from("ab"),
    at=moments,
    told=st.booleans(),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    messages = draw(st.lists(posted, max_size=10, unique_by=lambda fact: (fact.group, fact.message_id)))
    return [*messages, *draw(st.lists(reacted, max_size=16))]


def fold(facts: list[Fact], timezone: str, random: Random) -> tuple[FoldRunner, list[Envelope]]:
    """Fold the facts shuffled, some of them twice under one event id and some under two, in batches of any size."""
    policy = {"points_per_reply": REPLY_POINTS, "points_per_reaction": REACTION_POINTS, "pair_cap_per_day": CAP}
    runner = FoldRunner(ChatFolder(), definition(timezone, **policy), now=NOW)
    events = events_of(facts, "/a")
    events += random.sample(events, random.randint(0, len(events)))
    events += random.sample(events_of(facts, "/b"), random.randint(0, len(facts)))
    random.shuffle(events)
    emitted: list[Envelope] = []
    while events:
        size = random.randint(1, len(events))
        batch, events = events[:size], events[size:]
        emitted += runner.run(batch)
    assert runner.errors == {}
    return runner, emitted


zones = st.sampled_from(("America/New_York", "Asia/Shanghai", "Asia/Kathmandu", "UTC"))


@settings(max_examples=150, deadline=None)
@given(histories(), zones, st.randoms(use_true_random=False))
def test_ends_as_one_plain_pass_says(facts: list[Fact], timezone: str, random: Random) -> None:
    runner, emitted = fold(facts, timezone, random)
    plain = OnePass(facts, timezone)
    states = {key[1]: state for key, state in runner.states(MEMBERS).items()}

    assert {key[1:]: tuple(sums.values()) for key, sums in runner.counters(MEMBER_DAYS).items()} == plain.member_days()
    assert {key[1]: tuple(sums.values()) for key, sums in runner.counters(GROUP_TOTALS).items()} == plain.groups()
    assert {
        (key[1], receiver, key[2]): tuple(counts)
        for key, giving in runner.states(GIVINGS).items()
        for receiver, counts in giving.receivers.items()
    } == plain.pairs()
    for member, state in states.items():
        found = (
            state.last_originated_at,
            state.last_replied_at,
            state.last_reacted_at,
            state.first_posted_at,
            state.first_replied_at,
        )
        assert (found, state.tier, state.points) == (
            plain.moments(member),
            plain.tier(member, NOW),
            plain.balances()[member],
        )
    for kind, index in ((FirstPosted, 3), (FirstReplied, 4)):
        told = sorted(event.subject for event in emitted if isinstance(event, kind))
        assert told == sorted(member for member in MEMBERS_AT_PLAY if plain.moments(member)[index] is not None)


@settings(max_examples=100, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_log_of_points_balances(facts: list[Fact], random: Random) -> None:
    runner, _ = fold(facts, "Asia/Shanghai", random)
    log = sorted(runner.log(POINTS_LOG), key=lambda entry: entry.key)
    transfers = [list(entries) for _, entries in groupby(log, key=lambda entry: entry.key)]
    assert all(len(entries) == 2 and sum(entry.points for entry in entries) == 0 for entries in transfers)
    held: Counter[str] = Counter()
    for entry in log:
        held[entry.account] += entry.points
    expected = {f"member:{key[1]}": state.points for key, state in runner.states(MEMBERS).items() if state.points}
    assert {account: sum_ for account, sum_ in held.items() if account != "issue"} == expected
    assert COMMUNITY in {entry.community for entry in log} or not log
