"""What a line of a recording means."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from services.intake.adapters.documents import read_object, recorded, require_group, validated
from services.intake.facts import OUTSIDE_FACTS
from shequn.adapters.errors import MalformedError
from shequn.contracts import ids
from shequn.contracts.base import AccountRef, Contract, PlatformId, Timestamp
from shequn.contracts.chat import MessagePosted, MessagePostedData
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold.workspace import DefinitionBook

_BY_TYPE = {event.TYPE: event for event in OUTSIDE_FACTS}
_NOT_SLUG = re.compile(r"[^a-z0-9_-]+")
_MOST_TEXT = 65_536
_CHANNEL = "replay"


class ChatRow(Contract):
    """A message of a chat archive. ``room`` is the room's name, ``room_id`` and ``user`` are the platform's ids."""

    model_config = ConfigDict(hide_input_in_errors=True)

    ts: Timestamp
    room: str = Field(max_length=256)
    room_id: PlatformId
    user: PlatformId
    name: str = ""
    id: PlatformId
    text: str = ""


class LineReader:
    """Turns lines into events of one community."""

    def __init__(
        self,
        definitions: DefinitionBook,
        community: str,
        platform: str,
        groups: Mapping[str, str],
    ) -> None:
        """Prepare.

        Args:
            definitions: the communities' definitions.
            community: the community of chat rows.
            platform: the platform of chat rows.
            groups: the group of a room, by the room's id or name; other rooms are found by their chat id in the
                definition, or by their name in small letters.
        """
        self._definitions = definitions
        self._community = community
        self._platform = platform
        self._groups = dict(groups)
        self._accounts: dict[str, tuple[AccountRef, str]] = {}
        self._known: dict[tuple[str, str], str] = {}

    def read(self, line: bytes, now: datetime) -> Envelope:
        """Read a line.

        Args:
            line: JSON.
            now: when it is accepted, whenever it was recorded: the age of an event counts from here.

        Raises:
            MalformedError: it is neither an envelope of an outside fact nor a chat row.
            UnknownCommunityError: its community has no definition.
        """
        document = read_object(line)
        if "specversion" in document:
            return self._envelope(document, now)
        return self._message(validated(ChatRow, document), now)

    def _envelope(self, document: Mapping[str, Any], now: datetime) -> Envelope:
        event_class = _BY_TYPE.get(str(document.get("type")))
        if event_class is None:
            raise MalformedError("type", f"is no outside fact; those are: {', '.join(sorted(_BY_TYPE))}")
        event = validated(event_class, {**document, "recordedtime": now})
        definition = self._definitions.current(event.community)
        if (group := getattr(event.data, "group", None)) is not None:
            require_group(definition, group, "data.group")
        return event

    def _message(self, row: ChatRow, now: datetime) -> Envelope:
        account, member_id = self._account(row.user)
        return recorded(
            MessagePosted,
            time=row.ts,
            now=now,
            channel=_CHANNEL,
            community=self._community,
            subject=row.id,
            origin=(self._platform, row.room_id, row.id),
            data=MessagePostedData(
                group=self._group(row),
                account=account,
                member_id=member_id,
                message_id=row.id,
                text=row.text[:_MOST_TEXT],
                name=row.name[:256],
            ),
            time_field="ts",
        )

    def _account(self, user: str) -> tuple[AccountRef, str]:
        # An archive has few users and many messages; each id costs a hash.
        if user not in self._accounts:
            account = AccountRef(platform=self._platform, account_id=user)
            self._accounts[user] = account, ids.member_id(account)
        return self._accounts[user]

    def _group(self, row: ChatRow) -> str:
        room = (row.room_id, row.room)
        if room not in self._known:
            definition = self._definitions.current(self._community)
            self._known[room] = self._find_group(row, definition)
        return self._known[room]

    def _find_group(self, row: ChatRow, definition: CommunityDefinition) -> str:
        named = self._groups.get(row.room_id) or self._groups.get(row.room)
        by_chat = next((group.id for group in definition.groups if group.chat == row.room_id), None)
        group = named or by_chat or _NOT_SLUG.sub("-", row.room.lower()).strip("-")
        require_group(definition, group, "room")
        return group
