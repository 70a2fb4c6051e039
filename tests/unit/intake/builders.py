"""Channels, requests and events for the tests of intake."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

from shequn.adapters import AdapterEnvironment, RawRequest, ReceiveContext
from shequn.contracts import ids
from shequn.contracts.actions import DeleteMessage, DeleteMessageData, SendMessage, SendMessageData
from shequn.contracts.base import AccountRef
from shequn.contracts.chat import GroupJoined, GroupJoinedData, GroupLeft, GroupLeftData, JoinEvidence
from shequn.contracts.definitions.community import GroupDefinition
from shequn.contracts.signups import FormSubmitted, FormSubmittedData
from shequn.runtime.clock import SystemClock
from shequn.testing.memory import MemoryBook
from tests.support.events import small_definition

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_c2Vjb25kIHNlY3JldCBmb3Igcm90YXRpb24h"
COMMUNITY = "club"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
ANN = AccountRef(platform="gitter", account_id="ann")
ANN_ID = ids.member_id(ANN)


@dataclass
class FixedClock:
    """A clock that stands still until it is set."""

    at: datetime = field(default=NOW)

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


def book() -> MemoryBook:
    groups = (
        GroupDefinition(id="open", kind="free", platform="gitter", chat="room-1"),
        GroupDefinition(id="paid", kind="paid", platform="gitter", chat="room-2"),
    )
    return MemoryBook([small_definition(COMMUNITY).model_copy(update={"groups": groups})])


def context(channel: str = "web") -> ReceiveContext:
    return ReceiveContext(channel, NOW, book())


def environment(folder: Path = Path(), name: str = "web") -> AdapterEnvironment:
    return AdapterEnvironment(name, folder, SystemClock())


def signed(body: Any, *, secret: str = SECRET, message_id: str = "msg_1", at: datetime = NOW) -> RawRequest:
    """A request as a sender that uses the official package makes it."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, text),
    }
    return RawRequest(headers, text.encode(), at)


def cloud_event(**change: Any) -> dict[str, Any]:
    """A message as an outside bot posts it; dotted names of ``change`` reach into it."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "b-1",
        "source": "/bots/library",
        "type": "chat.message.posted.v1",
        "time": "2026-03-02T15:59:00+08:00",
        "community": COMMUNITY,
        "data": {
            "group": "open",
            "account": {"platform": "gitter", "account_id": "ann"},
            "message_id": "m-1",
            "text": "今天读到第三章 📖",
        },
    }
    for path, value in change.items():
        place, _, name = path.rpartition("__")
        target = event
        for part in filter(None, place.split("__")):
            target = target[part]
        target[name] = value
    return event


def minute(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def _account(who: str) -> AccountRef:
    return AccountRef(platform="gitter", account_id=who)


def signup(at: float, *, who: str = "ann", code: str | None = None, number: int = 0, **more: Any) -> FormSubmitted:
    account = _account(who)
    evidence = (JoinEvidence(kind="code", value=code),) if code else ()
    data = FormSubmittedData(
        account=account,
        member_id=ids.member_id(account),
        submission_id=f"{who}-{at}-{number}",
        referral_code=code,
        evidence=more.pop("evidence", evidence),
        **more,
    )
    return FormSubmitted.record(
        time=minute(at),
        recorded=NOW,
        source="/intake/web",
        community=COMMUNITY,
        subject=data.submission_id,
        origin=("web", data.submission_id),
        data=data,
    )


def group_joined(at: float, group: str = "open", *, who: str = "ann", **more: Any) -> GroupJoined:
    account = _account(who)
    data = GroupJoinedData(group=group, account=account, member_id=ids.member_id(account), **more)
    return GroupJoined.record(
        time=minute(at),
        recorded=NOW,
        source="/intake/web",
        community=COMMUNITY,
        subject=data.member_id,
        origin=("web", group, who, str(at)),
        data=data,
    )


def group_left(at: float, group: str = "open", *, who: str = "ann") -> GroupLeft:
    account = _account(who)
    data = GroupLeftData(group=group, account=account, member_id=ids.member_id(account))
    return GroupLeft.record(
        time=minute(at),
        recorded=NOW,
        source="/intake/web",
        community=COMMUNITY,
        subject=data.member_id,
        origin=("web", group, who, str(at)),
        data=data,
    )


def send(key: str, *, variant: str = "", **more: Any) -> SendMessage:
    """A command to send; another ``variant`` is another command with the same key."""
    target = {} if "group" in more or "member_id" in more else {"member_id": ANN_ID}
    return SendMessage.record(
        time=NOW,
        recorded=NOW,
        source="/flows",
        community=COMMUNITY,
        subject=key,
        origin=(key, variant),
        data=SendMessageData(idempotency_key=key, text=more.pop("text", "欢迎"), **target, **more),
    )


def delete(key: str, message_id: str = "m-1") -> DeleteMessage:
    return DeleteMessage.record(
        time=NOW,
        recorded=NOW,
        source="/moderation",
        community=COMMUNITY,
        subject=key,
        origin=(key,),
        data=DeleteMessageData(idempotency_key=key, group="open", message_id=message_id),
    )


def generic_settings(**more: Any) -> Mapping[str, Any]:
    return {"secrets": [SECRET], **more}
