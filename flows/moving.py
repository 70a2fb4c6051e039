"""Moves one member whom time moves, whatever the others of the chunk do."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flows.engine.facts import MemberFacts
from flows.engine.facts_json import facts_from_json
from flows.engine.member import MemberRun, resume
from flows.engine.seats import SeatsTaken
from flows.parking import Parked, is_due, park
from flows.recording import record_run
from flows.store import ClaimedMember
from flows.tables import ENROLLMENTS, EnrollmentRow, enrollment_of
from shequn.runtime.failures import AppError, UnknownCommunityError
from shequn.runtime.fold import Workspace
from shequn.runtime.fold.workspace import DefinitionBook

EXPECTED = (AppError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What missing definitions and odd data of one member lead to. Only pure code runs where these are caught: an error of
the store is never among them, and fails the chunk, which is tried again. Anything else is our own fault and fails it
too."""

_STANDS_STILL = "it is due, yet its step does not move it"


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one member.

    Attributes:
        changed: how many enrollments changed.
        parked: those that were due and did not move.
    """

    changed: int = 0
    parked: Sequence[Parked] = ()


class MemberMover:
    """Advances members one by one. A member, or one of a member's funnels, that cannot move stops nobody else."""

    def __init__(self, definitions: DefinitionBook, seats_of: Callable[[str], SeatsTaken]) -> None:
        """Prepare.

        Args:
            definitions: the definition documents, old versions included.
            seats_of: the seats taken in a community.
        """
        self._definitions = definitions
        self._seats_of = seats_of

    def knows_all(self, members: Iterable[ClaimedMember], now: datetime) -> bool:
        """Tell whether every version that somebody is due on is known."""
        needed = {(member.community, row.version) for member in members for row in member.rows if is_due(row, now)}
        try:
            for community, version in needed:
                self._definitions.version(community, version)
        except UnknownCommunityError:
            return False
        return True

    def move(self, work: Workspace, member: ClaimedMember, now: datetime) -> Moved:
        """Advance what is due of a member; write what came of it, parked enrollments included."""
        due = [row for row in member.rows if is_due(row, now)]
        if not due:  # somebody else was faster
            return Moved()
        faults: dict[str, str] = {}
        try:
            changed = self._run(work, member, member.rows, now)
        except EXPECTED:
            changed, faults = self._run_without_faulty(work, member, now)
        parked = [park(row, faults.get(row.funnel, _STANDS_STILL), now) for row in due if row.funnel not in changed]
        for each in parked:
            work.put(ENROLLMENTS, each.row)
        return Moved(len(changed), parked)

    def _run_without_faulty(
        self, work: Workspace, member: ClaimedMember, now: datetime
    ) -> tuple[Collection[str], dict[str, str]]:
        """Advance what can move by itself; give the funnels that changed, and the reason of each one that cannot."""
        faults: dict[str, str] = {}
        for row in member.rows:
            try:
                self._resume(member, [row], now)
            except EXPECTED as error:
                faults[row.funnel] = _reason(error)
        sound = [row for row in member.rows if row.funnel not in faults]
        try:
            return self._run(work, member, sound, now), faults
        except EXPECTED as error:  # each moves, but not all together
            return (), {row.funnel: _reason(error) for row in sound} | faults

    def _run(
        self, work: Workspace, member: ClaimedMember, rows: Sequence[EnrollmentRow], now: datetime
    ) -> Collection[str]:
        before, run = self._resume(member, rows, now)
        community = self._definitions.current(member.community)
        with work.event():
            record_run(work, community, member.member_id, before, run, now, None)
        return run.changed

    def _resume(
        self, member: ClaimedMember, rows: Sequence[EnrollmentRow], now: datetime
    ) -> tuple[MemberFacts, MemberRun]:
        facts = facts_from_json(member.facts)
        enrollments = [enrollment_of(row) for row in rows]
        seats = self._seats_of(member.community)
        return facts, resume(
            facts, enrollments, lambda version: self._definitions.version(member.community, version), now, seats
        )


def _reason(error: Exception) -> str:
    said = str(error)
    return said if isinstance(error, AppError) else f"{type(error).__name__}: {said}"
