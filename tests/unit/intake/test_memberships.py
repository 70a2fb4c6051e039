from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.membership import Fact, Membership
from services.intake.handlers import ChatMembersFolder, SignupsFolder
from services.intake.tables import ACCOUNTS, MEMBER_TOTALS, MEMBERSHIPS
from shequn.contracts.chat import JoinEvidence
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import MemberJoined, MemberLeft, MemberUpdated
from shequn.contracts.signups import FormSubmitted
from shequn.runtime.failures import UnknownCommunityError
from shequn.testing.memory import FoldRunner, MemoryTables
from tests.unit.intake.builders import ANN_ID, COMMUNITY, NOW, book, group_joined, group_left, minute, signup


class Identity:
    """Both folders on the same tables, as in the service."""

    def __init__(self) -> None:
        tables = MemoryTables()
        definitions = book().definitions
        self.signups = FoldRunner(SignupsFolder(), *definitions, now=NOW, tables=tables)
        self.chat = FoldRunner(ChatMembersFolder(), *definitions, now=NOW, tables=tables)

    def run(self, *facts: Fact) -> list[Envelope]:
        """Fold facts one after the other; give what was told."""
        return [told for fact in facts for told in self._runner(fact).run([fact])]

    def _runner(self, fact: Fact) -> FoldRunner:
        return self.signups if isinstance(fact, FormSubmitted) else self.chat

    @property
    def ann(self) -> Membership:
        state = self.chat.state(MEMBERSHIPS, COMMUNITY, ANN_ID)
        assert state is not None
        return state

    @property
    def totals(self) -> dict[str, int]:
        return self.chat.counters(MEMBER_TOTALS).get((COMMUNITY,), {"active": 0, "gone": 0})


@pytest.fixture
def identity() -> Identity:
    return Identity()


def kinds(told: Sequence[Envelope]) -> list[type[Envelope]]:
    return [type(event) for event in told]


class TestJoining:
    def test_a_sign_up_makes_a_member(self, identity: Identity) -> None:
        (joined,) = identity.run(signup(1, name="安", consents=("messages",), code="CODE"))
        assert isinstance(joined, MemberJoined)
        assert (joined.data.name, joined.data.consents, joined.data.referral_code) == ("安", ("messages",), "CODE")

    def test_entering_a_group_makes_a_member(self, identity: Identity) -> None:
        (joined,) = identity.run(group_joined(1, name="安"))
        assert kinds([joined]) == [MemberJoined]

    def test_it_is_told_once(self, identity: Identity) -> None:
        told = identity.run(signup(1), group_joined(2), group_joined(3, "paid"))
        assert kinds(told) == [MemberJoined]

    def test_it_happened_when_the_fact_did(self, identity: Identity) -> None:
        (joined,) = identity.run(signup(1))
        assert joined.time == minute(1)

    def test_a_code_without_evidence_is_none(self, identity: Identity) -> None:
        (joined,) = identity.run(signup(1, code="CODE", evidence=()))
        assert joined.data.referral_code is None

    def test_a_code_at_the_door_of_a_group_counts(self, identity: Identity) -> None:
        (joined,) = identity.run(group_joined(1, evidence=(JoinEvidence(kind="code", value="CODE"),)))
        assert joined.data.referral_code == "CODE"

    def test_two_people_are_two_members(self, identity: Identity) -> None:
        identity.run(signup(1), signup(1, who="bob"))
        assert identity.totals == {"active": 2, "gone": 0}

    def test_an_unknown_community_is_refused(self, identity: Identity) -> None:
        stranger = signup(1).model_copy(update={"community": "nobody"})
        identity.run(stranger)
        assert isinstance(identity.signups.errors[stranger.id], UnknownCommunityError)


class TestMoreKnowledge:
    def test_a_later_sign_up_tells_its_referral_and_profile(self, identity: Identity) -> None:
        _, updated = identity.run(group_joined(1, name="a"), signup(2, code="CODE", name="安", consents=("messages",)))
        assert isinstance(updated, MemberUpdated)
        assert (updated.data.referral_code, updated.data.name, updated.time) == ("CODE", "安", minute(2))

    def test_an_earlier_entering_is_told_with_its_own_time(self, identity: Identity) -> None:
        _, updated = identity.run(signup(2, code="CODE", name="安"), group_joined(1, name="a"))
        assert isinstance(updated, MemberUpdated)
        assert (updated.data.referral_code, updated.data.name, updated.time) == (None, "安", minute(1))

    def test_a_later_entering_tells_nothing(self, identity: Identity) -> None:
        assert kinds(identity.run(signup(1), group_joined(2, name="a"))) == [MemberJoined]

    def test_another_sign_up_with_a_code_is_told(self, identity: Identity) -> None:
        assert kinds(identity.run(signup(1), signup(2, code="CODE"))) == [MemberJoined, MemberUpdated]

    def test_the_earliest_joining_is_kept(self, identity: Identity) -> None:
        identity.run(signup(5), group_joined(3), signup(4))
        assert identity.ann.joined_at == minute(3)


class TestLeaving:
    def test_the_last_group_is_the_end(self, identity: Identity) -> None:
        told = identity.run(group_joined(1), group_joined(2, "paid"), group_left(3), group_left(4, "paid"))
        assert kinds(told) == [MemberJoined, MemberLeft]
        assert told[-1].time == minute(4)

    def test_of_one_of_two_groups_is_not(self, identity: Identity) -> None:
        assert kinds(identity.run(group_joined(1), group_joined(2, "paid"), group_left(3))) == [MemberJoined]

    def test_late_news_of_an_earlier_leaving_change_nothing(self, identity: Identity) -> None:
        assert kinds(identity.run(group_joined(5), group_left(3))) == [MemberJoined]

    def test_known_before_the_joining_is_told_after_it(self, identity: Identity) -> None:
        told = identity.run(group_left(3), group_joined(1))
        assert kinds(told) == [MemberJoined, MemberLeft]

    def test_of_a_stranger_is_told_nobody(self, identity: Identity) -> None:
        assert identity.run(group_left(3)) == []
        assert identity.totals == {"active": 0, "gone": 0}

    def test_and_coming_back_is_a_joining(self, identity: Identity) -> None:
        told = identity.run(group_joined(1), group_left(2), group_joined(3))
        assert kinds(told) == [MemberJoined, MemberLeft, MemberJoined]
        assert len({event.id for event in told}) == 3

    def test_a_sign_up_before_it_does_not_keep_a_member(self, identity: Identity) -> None:
        told = identity.run(signup(1), group_joined(2), group_left(3))
        assert kinds(told) == [MemberJoined, MemberLeft]

    def test_a_sign_up_after_it_is_a_joining(self, identity: Identity) -> None:
        told = identity.run(group_joined(1), group_left(2), signup(3))
        assert kinds(told)[-1] is MemberJoined

    def test_is_counted(self, identity: Identity) -> None:
        identity.run(group_joined(1), group_left(2))
        assert identity.totals == {"active": 0, "gone": 1}


def test_the_account_is_remembered(identity: Identity) -> None:
    identity.run(group_joined(3), group_joined(1))
    account = identity.chat.state(ACCOUNTS, "gitter", "ann")
    assert account is not None
    assert (account.member_id, account.seen_at) == (ANN_ID, minute(3))


FACTS = st.one_of(
    st.builds(
        signup,
        st.integers(0, 8),
        code=st.sampled_from([None, "A", "B"]),
        number=st.integers(0, 2),
        name=st.sampled_from(["", "安"]),
        consents=st.sampled_from([(), ("messages",)]),
    ),
    st.builds(group_joined, st.integers(0, 8), st.sampled_from(["open", "paid"])),
    st.builds(group_left, st.integers(0, 8), st.sampled_from(["open", "paid"])),
)


def one_of_each(facts: Sequence[Fact]) -> list[Fact]:
    """The same sign-up can come with other contents only under another id."""
    return list({fact.id: fact for fact in facts}.values())


def joinings(told: Sequence[Envelope]) -> tuple[Any, Any]:
    """What commerce makes of what is told: the earliest joining, and the earliest joining with a code."""
    events = [event for event in told if isinstance(event, MemberJoined | MemberUpdated)]
    claims = [(event.time, event.data.referral_code) for event in events if event.data.referral_code]
    return min((event.time for event in events), default=None), min(claims, default=None)


class TestAnyOrder:
    @given(st.data())
    def test_with_duplicates_ends_in_the_same_state(self, data: st.DataObject) -> None:
        facts = one_of_each(data.draw(st.lists(FACTS, max_size=8)))
        again = data.draw(st.permutations(facts + facts))
        straight, shuffled = Identity(), Identity()
        straight.run(*facts)
        shuffled.run(*again)
        assert straight.chat.states(MEMBERSHIPS) == shuffled.chat.states(MEMBERSHIPS)
        assert straight.chat.states(ACCOUNTS) == shuffled.chat.states(ACCOUNTS)
        assert straight.totals == shuffled.totals

    @given(st.data())
    def test_referrals_end_the_same(self, data: st.DataObject) -> None:
        facts = one_of_each(data.draw(st.lists(FACTS, max_size=8)))
        again = data.draw(st.permutations(facts + facts))
        assert joinings(Identity().run(*facts)) == joinings(Identity().run(*again))

    @given(st.lists(FACTS, max_size=8))
    def test_what_was_told_last_is_so(self, facts: list[Fact]) -> None:
        identity = Identity()
        told = [event for event in identity.run(*one_of_each(facts)) if not isinstance(event, MemberUpdated)]
        active = bool(told) and isinstance(told[-1], MemberJoined)
        assert identity.totals["active"] == int(active)

    @given(st.lists(FACTS, max_size=8))
    def test_no_two_events_have_one_id(self, facts: list[Fact]) -> None:
        told = Identity().run(*one_of_each(facts))
        assert len({event.id for event in told}) == len(told)
