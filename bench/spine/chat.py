"""The chats that are replayed: real ones where they are at hand, else generated ones."""

import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bench.spine.definition import COMMUNITY, PLATFORM, forbidden_words
from shequn.contracts import ids
from shequn.contracts.base import AccountRef
from shequn.contracts.chat import MessagePosted, MessagePostedData

REAL_INPUT = Path(__file__).parents[2].parent / "shared" / "data" / "chat" / "gitter_dev.jsonl.gz"
ROWS = 20_000
_REPEAT_AFTER = timedelta(days=400)
_GENERATED_START = datetime(2026, 1, 1, 1, tzinfo=UTC)
_SENTENCES = (
    "大家好，今天的章节读完了吗？",
    "I finished the third exercise, took me two evenings",
    "这个方法真好用，谢谢分享！",
    "does anybody know why the test fails on the second line?",
    "see https://example.org/notes for what I wrote yesterday about it",
    "https://example.org/bare",
    "打卡第 12 天",
    "lol",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One chat message as it was recorded."""

    time: datetime
    group: str
    user: str
    name: str
    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Chat:
    """Recorded messages that can be replayed without end.

    Attributes:
        source: what they are, for the report.
        rows: in the order they were recorded.
    """

    source: str
    rows: Sequence[Row]

    @property
    def groups(self) -> list[str]:
        """The groups, sorted."""
        return sorted({row.group for row in self.rows})

    def events(self, start: int, stop: int, recorded: datetime) -> Iterator[MessagePosted]:
        """Give the events number ``start`` to ``stop``. After the last row it begins again, later, with other ids.

        Args:
            start: number of the first.
            stop: number behind the last.
            recorded: the moment of acceptance.
        """
        for number in range(start, stop):
            lap, index = divmod(number, len(self.rows))
            row = self.rows[index]
            yield posted(row, row.time + lap * _REPEAT_AFTER, f"{row.message_id}-{lap}", recorded)


def posted(row: Row, time: datetime, message_id: str, recorded: datetime) -> MessagePosted:
    """Make the event of a row, at another time and with another message id."""
    account = AccountRef(platform=PLATFORM, account_id=row.user)
    return MessagePosted.record(
        time=time,
        recorded=recorded,
        source="/intake/replay",
        community=COMMUNITY,
        subject=message_id,
        origin=(PLATFORM, row.group, message_id),
        data=MessagePostedData(
            group=row.group,
            account=account,
            member_id=ids.member_id(account),
            message_id=message_id,
            text=row.text,
            name=row.name,
        ),
    )


@cache
def read_chat() -> Chat:
    """Read the real chats, or generate some where there are none."""
    if REAL_INPUT.exists():
        return Chat(f"{REAL_INPUT.name}, first {ROWS:,} rows", _real_rows(REAL_INPUT))
    return Chat(f"generated, {ROWS:,} rows", _generated_rows())


def _real_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [_row(json.loads(line)) for _, line in zip(range(ROWS), lines, strict=False)]


def _row(line: dict[str, str]) -> Row:
    return Row(
        time=datetime.fromisoformat(line["ts"]),
        group=re.sub("[^a-z0-9_-]", "-", line["room"].lower()),
        user=line["user"],
        name=line["name"],
        message_id=line["id"],
        text=line["text"],
    )


def _generated_rows() -> list[Row]:
    """Seven rooms, 500 members of whom some talk much more than others, one forbidden word in 200 messages."""
    words = forbidden_words()
    rows = []
    for number in range(ROWS):
        member = (number * number + 7 * number) % 500
        text = _SENTENCES[(number * 31) % len(_SENTENCES)]
        if number % 200 == 0:
            text = f"{text} {words[number % len(words)]}"
        time = _GENERATED_START + timedelta(seconds=4 * number)
        rows.append(Row(time, f"room-{number % 7}", f"u{member}", f"member {member}", f"m{number}", text))
    return rows
