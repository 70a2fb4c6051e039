"""A small service on the fold runtime: counts messages per author and per group, keeps texts, thanks for each."""

import os
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from sqlalchemy.dialects.postgresql import JSONB

from shequn.contracts.actions import SendMessage, SendMessageData
from shequn.contracts.chat import MessagePosted
from shequn.contracts.subjects import MODERATION_CHAT
from shequn.runtime.fold import CounterTable, FoldContext, LogTable, StateTable, Workspace
from shequn.runtime.service import Service
from shequn.runtime.settings import RuntimeSettings

METADATA = sa.MetaData()


@dataclass(frozen=True, slots=True)
class Author:
    member_id: str
    messages: int = 0
    last_text: str = ""
    words: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Line:
    message_id: str
    text: str


def _author_keys(event: Any, _work: Workspace, _context: FoldContext) -> list[tuple[str]]:
    if event.data.text == "no keys":
        raise OverflowError("date value out of range")
    return [(event.data.member_id,)]


AUTHORS = StateTable(
    sa.Table(
        "authors",
        METADATA,
        sa.Column("member_id", sa.Text, primary_key=True),
        sa.Column("messages", sa.BigInteger),
        sa.Column("last_text", sa.Text),
        sa.Column("words", JSONB),
    ),
    Author,
    keys=_author_keys,
)
TOTALS = CounterTable(
    sa.Table("totals", METADATA, sa.Column("group_id", sa.Text, primary_key=True), sa.Column("messages", sa.BigInteger))
)
LINES = LogTable(
    sa.Table("lines", METADATA, sa.Column("message_id", sa.Text, primary_key=True), sa.Column("text", sa.Text)), Line
)


class ToyFolder:
    """Folds messages, and does as they say.

    `boom` is refused by the rule, `no keys` by the table's keys, `odd` makes a row that cannot be written, `huge` a
    command that cannot be sent, `die` ends the process, `version 2` needs that version of the definition.
    """

    consumer = replace(MODERATION_CHAT, ack_wait_seconds=float(os.environ.get("TOY_ACK_SECONDS", "30")))
    tables = (AUTHORS,)
    counters = (TOTALS,)
    logs = (LINES,)
    accepts = (MessagePosted,)
    emits = (SendMessage,)

    def fold(self, event: Any, work: Workspace, context: FoldContext) -> None:
        if event.data.text == "die":
            os._exit(1)
        word, _, number = event.data.text.partition(" ")
        if word == "version":
            context.definitions.version(event.community, int(number))
        context.definitions.current(event.community)
        author = work.get(AUTHORS, event.data.member_id)
        work.put(
            AUTHORS,
            replace(
                author,
                messages=author.messages + 1,
                last_text=event.data.text,
                words=[*author.words[-4:], object() if event.data.text == "odd" else event.data.text],
            ),
        )
        work.add(TOTALS, (event.data.group,), messages=1)
        work.append(LINES, Line(event.data.message_id, event.data.text))
        if event.data.text == "boom":
            raise ValueError("this message may not be folded")
        thanks = SendMessage.caused_by(
            event,
            source="/toy",
            subject=event.data.member_id,
            key=(event.data.message_id,),
            data=SendMessageData(idempotency_key=event.data.message_id, member_id=event.data.member_id, text="谢谢"),
        )
        huge = {"source": "/" * 2_000_000} if event.data.text == "huge" else {}
        work.emit(thanks.model_copy(update=huge))


def build(settings: RuntimeSettings) -> tuple[Service, Any]:
    service = Service("toy", "tests.support.toy", settings, CollectorRegistry())
    service.add_folder(ToyFolder())
    return service, service.app()
