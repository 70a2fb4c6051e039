"""What a line of a recording means."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from services.intake.adapters.documents import (
    read_object,
    recorded,
    require_group,
    require_timezone,
    validated,
)
from services.intake.facts import OUTSIDE_FACTS
from shequn.adapters import ReceiveContext
from shequn.adapters.errors import MalformedError
from shequn.contracts import ids
from shequn.contracts.base import AccountRef, Contract, PlatformId, Timestamp
from shequn.contracts.chat import MessagePosted, MessagePostedData
from shequn.contracts.definitions.community import CommunityDefinition, GroupDefinition
from shequn.contracts.envelope import Envelope
from shequn.runtime.fold.workspace import DefinitionBook

_BY_TYPE = {event.TYPE: event for event in OUTSIDE_FACTS}
_NOT_SLUG = re.compile(r"[^a-z0-9_-]+")
_MOST_TEXT = 65_536


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
        community: str | None,
        platform: str | None,
        groups: Mapping[str, str],
    ) -> None:
        """Prepare.

        Args:
            definitions: the communities' definitions.
            community: the community of chat rows; none, and they are refused.
            platform: the platform of chat rows; that of the row's group by default.
            groups: the group of a room, by the room's id or name; other rooms are found by their chat id in the
                definition, or by their name in small letters.
        """
        self._definitions = definitions
        self._community = community
        self._platform = platform
        self._groups = dict(groups)
        self._accounts: dict[tuple[str, str], tuple[AccountRef, str]] = {}
        self._known: dict[tuple[str, str], GroupDefinition] = {}

    def read(self, line: bytes, context: ReceiveContext) -> Envelope:
        """Read a line.

        Args:
            line: JSON.
            context: says when it is accepted, whenever it was recorded: the age of an event counts from there.

        Raises:
            MalformedError: it is neither an envelope of an outside fact nor a chat row.
            UnknownCommunityError: its community has no definition.
        """
        document = read_object(line)
        if "specversion" in document:
            return self._envelope(document, context)
        return self._message(validated(ChatRow, document), context)

    def _envelope(self, document: Mapping[str, Any], context: ReceiveContext) -> Envelope:
        event_class = _BY_TYPE.get(str(document.get("type")))
        if event_class is None:
            raise MalformedError("type", f"is no outside fact; those are: {', '.join(sorted(_BY_TYPE))}")
        event = validated(event_class, {**document, "recordedtime": context.now})
        context.require_time(event.time, "time")
        definition = self._definitions.current(event.community)
        if (group := getattr(event.data, "group", None)) is not None:
            require_group(definition, group, "data.group")
        require_timezone(getattr(event.data, "timezone", None), "data.timezone")
        return event

    def _message(self, row: ChatRow, context: ReceiveContext) -> Envelope:
        if self._community is None:
            raise MalformedError("", "is a row of a chat archive; say with --community which community it belongs to")
        group = self._group(row, self._community)
        platform = self._platform or group.platform
        account, member_id = self._account(platform, row.user)
        return recorded(
            MessagePosted,
            context,
            time=row.ts,
            time_field="ts",
            community=self._community,
            subject=row.id,
            origin=(platform, row.room_id, row.id),
            data=MessagePostedData(
                group=group.id,
                account=account,
                member_id=member_id,
                message_id=row.id,
                text=row.text[:_MOST_TEXT],
                name=row.name[:256],
            ),
        )

    def _account(self, platform: str, user: str) -> tuple[AccountRef, str]:
        # An archive has few users and many messages; each id costs a hash.
        known = self._accounts.get((platform, user))
        if known is None:
            account = AccountRef(platform=platform, account_id=user)
            known = self._accounts[platform, user] = account, ids.member_id(account)
        return known

    def _group(self, row: ChatRow, community: str) -> GroupDefinition:
        room = (row.room_id, row.room)
        if room not in self._known:
            definition = self._definitions.current(community)
            self._known[room] = self._find_group(row, definition)
        return self._known[room]

    def _find_group(self, row: ChatRow, definition: CommunityDefinition) -> GroupDefinition:
        named = self._groups.get(row.room_id) or self._groups.get(row.room)
        by_chat = next((group.id for group in definition.groups if group.chat == row.room_id), None)
        group = named or by_chat or _NOT_SLUG.sub("-", row.room.lower()).strip("-")
        return require_group(definition, group, "room")
