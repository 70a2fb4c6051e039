"""Folds chat messages into decisions, strikes and sanctions. Nobody is exempt, staff included."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.moderation.checks import CheckContext, Message
from services.moderation.checks.base import milliseconds
from services.moderation.checks.links import public_suffixes
from services.moderation.domain.ladder import Offence, Step, climb, sanction_id
from services.moderation.domain.policy import Offending, decide
from services.moderation.domain.recent import remember, without_stale
from services.moderation.metrics import ModerationMetrics
from services.moderation.rulebook import ReadyRules, Rulebook, Rulebooks
from services.moderation.store import (
    DECISION_TOTALS,
    DECISIONS,
    MEMBERS,
    SANCTION_TOTALS,
    SANCTIONS,
    DecisionRow,
    MemberRow,
    SanctionRow,
    bounded,
    standing_of,
    with_standing,
)
from services.moderation.text.normaliser import normalise
from services.moderation.texts import fill, letter
from shequn.contracts import subjects
from shequn.contracts.actions import DeleteMessage, DeleteMessageData, SendMessage, SendMessageData
from shequn.contracts.chat import MessagePosted
from shequn.contracts.envelope import Envelope
from shequn.contracts.moderation import (
    CheckResult,
    MessageFlagged,
    MessageFlaggedData,
    Rung,
    SanctionImposed,
    SanctionImposedData,
    Verdict,
)
from shequn.runtime.fold import FoldContext, Workspace

_SOURCE = "/moderation"
_PASS = Verdict.PASS.value
_NO_CHECK = "none"
_LONGEST_TEXT = 16_384  # what a message to a member may have by contract

RecentByGroup = Mapping[str, Mapping[str, int]]


class ChatFolder:
    """Judges every posted message."""

    consumer = subjects.MODERATION_CHAT
    tables = (DECISIONS, MEMBERS)
    counters = (DECISION_TOTALS, SANCTION_TOTALS)
    logs = (SANCTIONS,)
    accepts = (MessagePosted,)
    emits = (MessageFlagged, SanctionImposed, DeleteMessage, SendMessage)

    def __init__(self, metrics: ModerationMetrics | None = None) -> None:
        """Load what checks need, so that the first message does not wait for it."""
        self._books = Rulebooks()
        self._metrics = metrics
        public_suffixes()

    def fold(self, event: MessagePosted, work: Workspace, context: FoldContext) -> None:
        """Judge a message, unless it has been judged before, perhaps under another event id.

        Raises:
            UnknownCommunityError: no definition of its community is applied.
        """
        book = self._books.of(context.definitions.current(event.community))
        data = event.data
        if work.find(DECISIONS, event.community, data.group, data.message_id) is not None:
            return
        rules = book.rules_of(data.group)
        if rules is None:
            _record_pass(event, work, book, book.sentences.no_rules)
            return
        loaded = work.get(MEMBERS, event.community, data.member_id)
        row = bounded(loaded)
        message = Message(data.message_id, data.kind, normalise(data.text), milliseconds(event.time))
        offending = decide(rules.examine(message, CheckContext(row.recent.get(data.group, {}))))
        if offending is None:
            _record_pass(event, work, book, book.sentences.all_passed)
        else:
            row = _punish(event, work, book, rules, offending, row)
        recent = _remembered(row, rules, book, message, data.group)
        if recent is not row.recent:
            row = replace(row, recent=recent)
        if row is not loaded:
            work.put(MEMBERS, row)

    def observe(self, folded: Sequence[Envelope], emitted: Sequence[Envelope]) -> None:
        """Count decisions and sanctions of a batch."""
        if self._metrics is not None:
            self._metrics.count(folded, emitted)


def _record_pass(event: MessagePosted, work: Workspace, book: Rulebook, reason: str) -> None:
    data, community = event.data, event.community
    work.put(
        DECISIONS,
        DecisionRow(
            community,
            data.group,
            data.message_id,
            data.member_id,
            _PASS,
            _NO_CHECK,
            reason,
            book.definition.version,
            None,
            event.time,
        ),
    )
    work.add(DECISION_TOTALS, (community, _PASS, _NO_CHECK), messages=1)


def _remembered(row: MemberRow, rules: ReadyRules, book: Rulebook, message: Message, group: str) -> RecentByGroup:
    if rules.flood is None:
        return row.recent
    known = row.recent.get(group, {})
    mine = remember(known, message.message_id, message.at, rules.flood.count)
    if mine == known:
        return row.recent
    return {**without_stale(row.recent, message.at, book.longest_window), group: mine}


def _punish(
    event: MessagePosted, work: Workspace, book: Rulebook, rules: ReadyRules, offending: Offending, row: MemberRow
) -> MemberRow:
    """Record and tell a breach; give what is remembered of the member after it."""
    _record_breach(event, work, book, offending)
    if offending.verdict is Verdict.DELETE:
        work.emit(_deletion(event, offending))
    data, check = event.data, offending.deciding.check
    offence = Offence(data.group, data.message_id, check, event.time)
    step = climb(standing_of(row), offence, rules.ladder, rules.burst)
    if step is None:
        return row
    if step.rung is not None:
        _impose(event, work, book, rules, offending.deciding, step, step.rung)
    return with_standing(row, step.standing)


def _record_breach(event: MessagePosted, work: Workspace, book: Rulebook, offending: Offending) -> None:
    data, deciding, version = event.data, offending.deciding, book.definition.version
    work.put(
        DECISIONS,
        DecisionRow(
            community=event.community,
            group_id=data.group,
            message_id=data.message_id,
            member_id=data.member_id,
            verdict=offending.verdict.value,
            decided_check=deciding.check,
            reason=deciding.reason,
            rule_version=version,
            results={result.check: _answer(result) for result in offending.results},
            at=event.time,
        ),
    )
    work.add(DECISION_TOTALS, (event.community, offending.verdict.value, deciding.check), messages=1)
    work.emit(
        MessageFlagged.caused_by(
            event,
            source=_SOURCE,
            subject=data.message_id,
            key=(data.group, data.message_id),
            data=MessageFlaggedData(
                group=data.group,
                member_id=data.member_id,
                message_id=data.message_id,
                verdict=offending.verdict,
                rule_version=version,
                results=offending.results,
            ),
        )
    )


def _answer(result: CheckResult) -> dict[str, str]:
    return {"verdict": result.verdict.value, "reason": result.reason, "evidence": result.evidence}


def _deletion(event: MessagePosted, offending: Offending) -> DeleteMessage:
    data = event.data
    key = f"delete:{sanction_id(event.community, data.group, data.message_id)}"
    return DeleteMessage.caused_by(
        event,
        source=_SOURCE,
        subject=data.message_id,
        key=(key,),
        data=DeleteMessageData(
            idempotency_key=key, group=data.group, message_id=data.message_id, reason=offending.deciding.reason
        ),
    )


def _impose(
    event: MessagePosted,
    work: Workspace,
    book: Rulebook,
    rules: ReadyRules,
    deciding: CheckResult,
    step: Step,
    rung: Rung,
) -> None:
    data = event.data
    sanction = SanctionImposedData(
        sanction_id=sanction_id(event.community, data.group, data.message_id),
        group=data.group,
        member_id=data.member_id,
        message_id=data.message_id,
        rung=rung,
        strikes=step.strikes,
        check=deciding.check,
        reason=deciding.reason,
        appeal_hours=rules.ladder.appeal_hours,
    )
    work.append(SANCTIONS, _sanction_row(event, book, sanction, step))
    work.add(SANCTION_TOTALS, (event.community, rung.value), sanctions=1)
    work.emit(
        SanctionImposed.caused_by(
            event,
            source=_SOURCE,
            subject=data.member_id,
            key=(sanction.sanction_id,),
            data=sanction,
            time=step.strike.counts_from,
        )
    )
    if step.has_letter:
        work.emit(_letter(event, book, sanction))


def _sanction_row(event: MessagePosted, book: Rulebook, sanction: SanctionImposedData, step: Step) -> SanctionRow:
    return SanctionRow(
        sanction_id=sanction.sanction_id,
        community=event.community,
        group_id=sanction.group,
        message_id=sanction.message_id,
        member_id=sanction.member_id,
        rung=sanction.rung.value,
        strikes=sanction.strikes,
        decided_check=sanction.check,
        reason=sanction.reason,
        rule_version=book.definition.version,
        posted_at=step.strike.posted,
        counts_from=step.strike.counts_from,
    )


def _letter(event: MessagePosted, book: Rulebook, sanction: SanctionImposedData) -> SendMessage:
    group = book.definition.group(sanction.group)
    values = {
        "name": event.data.name,
        "group": (group.name.in_language(book.language) if group else "") or sanction.group,
        "reason": sanction.reason,
        "strikes": sanction.strikes,
        "appeal_hours": sanction.appeal_hours,
    }
    key = f"sanction:{sanction.sanction_id}"
    return SendMessage.caused_by(
        event,
        source=_SOURCE,
        subject=sanction.member_id,
        key=(key,),
        data=SendMessageData(
            idempotency_key=key,
            member_id=sanction.member_id,
            text=fill(letter(book.definition, sanction.rung, book.language), values)[:_LONGEST_TEXT],
            language=book.language,
            purpose=f"moderation:{sanction.rung.value}",
        ),
    )
