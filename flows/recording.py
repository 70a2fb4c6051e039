"""What a member's run writes: the same rows whether an event or a timer moved the member."""

from datetime import datetime

from flows.engine.facts import MemberFacts
from flows.engine.facts_json import facts_to_json
from flows.engine.guards import zone_of
from flows.engine.member import MemberRun
from flows.tables import COUNTS, DECISIONS, ENROLLMENTS, FACTS, FactsRow, decision_row, row_of
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.runtime.fold import Workspace


def record_run(
    work: Workspace,
    community: CommunityDefinition,
    member_id: str,
    before: MemberFacts,
    run: MemberRun,
    now: datetime,
    cause_id: str | None,
) -> None:
    """Write what a run changed.

    Args:
        work: where to.
        community: the definition in force; days are counted in its zone.
        member_id: whose run it is.
        before: the facts as they are stored.
        run: what happened.
        now: the present moment.
        cause_id: the event that moved the member; none for a timer.
    """
    if run.facts is not before:
        work.put(FACTS, FactsRow(community.community, member_id, facts_to_json(run.facts)))
    for enrollment in run.changed.values():
        work.put(ENROLLMENTS, row_of(enrollment))
    for enrollment, number, decision in run.decisions:
        work.append(DECISIONS, decision_row(enrollment, number, decision, cause_id))
    if run.tallies:
        day = now.astimezone(zone_of(community.timezone, "UTC")).date()
        for (funnel, what, name), change in run.tallies.items():
            work.add(COUNTS, (community.community, funnel, day, what, name), total=change)
    for event in run.events:
        work.emit(event)
