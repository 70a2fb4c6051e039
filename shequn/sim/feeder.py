"""Feeds a story through intake's webhooks, each happening at its moment, signed as any sender would sign it."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import httpx2
import orjson
from standardwebhooks import Webhook

from shequn.runtime.clock import Clock
from shequn.runtime.failures import AppError
from shequn.sim.story import Channel, Happening, Story

_TICK_SECONDS = 0.25
_TRIES = 40
_RETRY_SECONDS = 0.25
_MOST_IN_A_CALL = 200
_NOT_NOW = (404, 429, 503)
_ACCEPTED = range(200, 300)


def new_secret() -> str:
    """Draw a secret in the form of Standard Webhooks."""
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


class FeedError(AppError):
    """Intake refused what the story sent."""

    def __init__(self, channel: str, status: int, detail: str) -> None:
        """Name the channel and the answer."""
        super().__init__(f"intake answered {status} on channel {channel}: {detail[:300]}")


@dataclass(slots=True)
class Feeder:
    """Sends a story.

    Attributes:
        intake: address of intake, ``http://host:port``.
        commerce: address of commerce, which tells members' referral codes.
        community: the community's name.
        channel_secrets: the secret of each channel.
        clock: the clock that the whole stack runs on.
        sent: how many happenings were accepted so far.
    """

    intake: str
    commerce: str
    community: str
    channel_secrets: dict[Channel, str]
    clock: Clock
    sent: int = 0
    _client: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=20.0, trust_env=False))

    async def feed(self, story: Story) -> None:
        """Send everything, each happening at its moment.

        Raises:
            FeedError: intake refuses something for good.
        """
        waiting = list(story.happenings)
        async with self._client:
            while waiting:
                now = self.clock.now()
                due = [happening for happening in waiting if happening.at <= now]
                waiting = waiting[len(due) :]
                await self._send(due)
                await asyncio.sleep(_TICK_SECONDS)

    async def _send(self, due: Sequence[Happening]) -> None:
        by_channel = sorted(due, key=lambda happening: happening.channel)
        calls = []
        for channel, group in groupby(by_channel, key=lambda happening: happening.channel):
            happenings = sorted(group, key=lambda happening: happening.at)
            if channel == "signup":
                calls += [self._sign_up(happening) for happening in happenings]
            else:
                chunks = range(0, len(happenings), _MOST_IN_A_CALL)
                calls += [self._tell(channel, happenings[start : start + _MOST_IN_A_CALL]) for start in chunks]
        await asyncio.gather(*calls)
        self.sent += len(due)

    async def _tell(self, channel: Channel, happenings: Sequence[Happening]) -> None:
        events = [
            {
                "specversion": "1.0",
                "id": happening.key,
                "source": "/demo",
                "type": happening.kind,
                "time": happening.at.isoformat(),
                "community": self.community,
                "data": happening.data,
            }
            for happening in happenings
        ]
        await self._post(channel, happenings[0].key, events)

    async def _sign_up(self, happening: Happening) -> None:
        form = happening.data | {"submitted_at": happening.at.isoformat()}
        if happening.referrer is not None:
            form |= {"referral_code": await self._referral_code(happening.referrer)}
        await self._post("signup", happening.key, form)

    async def _referral_code(self, member_id: str) -> str:
        """Ask commerce for a member's code; the member may have joined only a moment ago."""
        path = f"{self.commerce}/members/{self.community}/{member_id}/referral"
        for _ in range(_TRIES):
            answer = await self._client.get(path)
            if answer.status_code in _ACCEPTED:
                return str(answer.json()["code"])
            await asyncio.sleep(_RETRY_SECONDS)
        raise FeedError("referral", answer.status_code, answer.text)

    async def _post(self, channel: Channel, message_id: str, body: Any) -> None:
        payload = orjson.dumps(body).decode()
        webhook = Webhook(self.channel_secrets[channel])
        for _ in range(_TRIES):
            moment = datetime.now(UTC)
            headers = {
                "content-type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(int(moment.timestamp())),
                "webhook-signature": webhook.sign(message_id, moment, payload),
            }
            answer = await self._client.post(f"{self.intake}/hooks/{channel}", content=payload, headers=headers)
            if answer.status_code in _ACCEPTED:
                return
            if answer.status_code not in _NOT_NOW:
                break
            await asyncio.sleep(_RETRY_SECONDS)
        raise FeedError(channel, answer.status_code, answer.text)
