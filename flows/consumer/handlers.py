"""Thin folders, one per stream; all fold alike."""

from typing import ClassVar

from flows.engine.emit import EMITTED
from flows.engine.enrollment import State
from flows.engine.facts import MemberFacts, apply_event, concerned
from flows.engine.facts_json import facts_from_json
from flows.engine.interest import can_move
from flows.engine.member import Versions, funnel_of, react
from flows.engine.occurrences import matches
from flows.engine.seats import seat_taken
from flows.recording import record_run
from flows.seats import SeatBoard
from flows.tables import COUNTS, DECISIONS, ENROLLMENTS, FACTS, SEATS, EnrollmentRow, enrollment_of
from shequn.contracts import subjects
from shequn.contracts.commerce import OrderPaid, OrderRefunded, ReferralAttributed
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.engagement import FirstPosted, FirstReplied, PointsEarned, TierChanged
from shequn.contracts.envelope import Envelope
from shequn.contracts.members import MemberJoined, MemberLeft, MemberUpdated
from shequn.contracts.moderation import SanctionImposed
from shequn.contracts.subjects import ConsumerSpec
from shequn.runtime.fold import FoldContext, Workspace


class FunnelFolder:
    """Adds an event to the member's facts, then lets the member's funnels react.

    A subclass says which stream it reads. A member's facts are locked first, so the folders of all streams, replicas
    and waves never move one member at once.
    """

    consumer: ClassVar[ConsumerSpec]
    accepts: ClassVar[tuple[type[Envelope], ...]]
    tables = (FACTS, ENROLLMENTS)
    counters = (COUNTS, SEATS)
    logs = (DECISIONS,)
    emits = EMITTED

    def __init__(self, seats: SeatBoard | None = None) -> None:
        """Name the prices of the next buyers as the board tells them."""
        self._seats = seats or SeatBoard()

    def fold(self, event: Envelope, work: Workspace, context: FoldContext) -> None:
        """Fold one event."""
        member_id = concerned(event)
        if member_id is None:
            return
        community = event.community
        before = facts_from_json(dict(work.get(FACTS, community, member_id).facts))
        current = context.definitions.current(community)

        def versions(version: int) -> CommunityDefinition:
            return context.definitions.version(community, version)

        rows = [work.get(ENROLLMENTS, community, member_id, funnel) for funnel in sorted(before.enrolled)]
        entered = {definition.funnel for definition in current.funnels if matches(definition.enter, event)}
        touched = [row for row in rows if row.funnel in entered or _can_move(row, versions, event, context)]
        enrollments = {row.funnel: enrollment_of(row) for row in touched}
        facts, taken = apply_event(before, event), self._seats.of(community)
        run = react(member_id, facts, event, enrollments, current, versions, context.now, taken)
        _count_seat(work, before, event, current)
        record_run(work, current, member_id, before, run, context.now, event.id)


def _can_move(row: EnrollmentRow, versions: Versions, event: Envelope, context: FoldContext) -> bool:
    definition = funnel_of(versions(row.version), row.funnel)
    return can_move(definition, State(row.state), row.step, row.due_at, event, context.now)


def _count_seat(work: Workspace, before: MemberFacts, event: Envelope, current: CommunityDefinition) -> None:
    product = getattr(event.data, "product", None)
    tier = seat_taken(before, event, None if product is None else current.product(product))
    if tier is not None:
        work.add(SEATS, (event.community, product, tier), taken=1)


class MembersFolder(FunnelFolder):
    """Who joined, what became known of them, and who left."""

    consumer = subjects.FUNNELS_MEMBERS
    accepts = (MemberJoined, MemberUpdated, MemberLeft)


class EngagementFolder(FunnelFolder):
    """What members do for each other."""

    consumer = subjects.FUNNELS_ENGAGEMENT
    accepts = (FirstPosted, FirstReplied, TierChanged, PointsEarned)


class CommerceFolder(FunnelFolder):
    """What members buy, give back, and whom they bring."""

    consumer = subjects.FUNNELS_COMMERCE
    accepts = (OrderPaid, OrderRefunded, ReferralAttributed)


class ModerationFolder(FunnelFolder):
    """Which measures were taken against a member."""

    consumer = subjects.FUNNELS_MODERATION
    accepts = (SanctionImposed,)


FOLDERS: tuple[type[FunnelFolder], ...] = (MembersFolder, EngagementFolder, CommerceFolder, ModerationFolder)
