from datetime import UTC, date, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engagement.domain.points import Act, Tally, act_key, counted, worth
from shequn.contracts.definitions.community import EngagementPolicy

POLICY = EngagementPolicy(points_per_reply=2, points_per_reaction=1, pair_cap_per_day=3)


class TestWorth:
    @pytest.mark.parametrize(
        ("replies", "reactions", "points"),
        [(0, 0, 0), (1, 0, 2), (0, 1, 1), (0, 4, 3), (4, 0, 6), (1, 3, 4), (2, 3, 5), (3, 3, 6)],
    )
    def test_is_that_of_the_dearest_acts_up_to_the_cap(self, replies: int, reactions: int, points: int) -> None:
        assert worth(replies, reactions, POLICY) == points

    def test_takes_reactions_first_where_they_are_dearer(self) -> None:
        policy = EngagementPolicy(points_per_reply=1, points_per_reaction=5, pair_cap_per_day=2)
        assert worth(3, 1, policy) == 6

    def test_is_nothing_when_the_cap_is_nothing(self) -> None:
        assert worth(5, 5, EngagementPolicy(pair_cap_per_day=0)) == 0

    @given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
    def test_never_shrinks_with_another_act(
        self, replies: int, reactions: int, per_reply: int, per_reaction: int, cap: int
    ) -> None:
        policy = EngagementPolicy(points_per_reply=per_reply, points_per_reaction=per_reaction, pair_cap_per_day=cap)
        before = worth(replies, reactions, policy)
        assert min(worth(replies + 1, reactions, policy), worth(replies, reactions + 1, policy)) >= before


class TestTally:
    def test_ends_the_same_in_any_order(self) -> None:
        ends = set()
        for acts in permutations(("reply", "reaction", "reaction", "reaction", "reply")):
            tally = Tally()
            for act in acts:
                tally = counted(tally, "reply" if act == "reply" else "reaction", POLICY)
            ends.add((tally.replies, tally.reactions, tally.points))
        assert ends == {(2, 3, 5)}

    def test_gives_back_nothing_when_the_policy_gets_cheaper(self) -> None:
        tally = counted(Tally(), "reply", POLICY)
        cheaper = EngagementPolicy(points_per_reply=0, points_per_reaction=0)
        assert counted(tally, "reply", cheaper).points == 2


class TestAct:
    def test_comes_back_from_json_as_it_was(self) -> None:
        act = Act("reply", "ann", datetime(2026, 1, 1, 1, 2, 3, 456789, tzinfo=UTC), date(2026, 1, 1), "key")
        assert Act.from_json(act.to_json()) == act

    def test_key_tells_acts_apart_whose_parts_join_alike(self) -> None:
        day = date(2026, 1, 1)
        assert act_key("reaction", day, "a", "bc") != act_key("reaction", day, "ab", "c")

    def test_key_exists_for_the_day_before_the_epoch(self) -> None:
        assert act_key("reply", date(1969, 12, 31), "west of Greenwich")
