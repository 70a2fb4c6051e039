"""Adapters that fetch events by themselves, for tests of the channels that run them."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, ClassVar

from shequn.adapters import Adapter, AdapterManifest, AdapterSettings, Label, Publish
from shequn.contracts.chat import GroupJoined
from shequn.contracts.envelope import Envelope
from shequn.runtime.failures import ConfigError, PermanentError, TransientError
from shequn.runtime.fold.workspace import DefinitionBook
from tests.unit.intake.builders import COMMUNITY, group_joined


class SocketSettings(AdapterSettings):
    minutes: Annotated[tuple[float, ...], Label(zh="事件", en="Events")] = (1,)
    fails: Annotated[tuple[str, ...], Label(zh="故障", en="Failures")] = ()
    stays: Annotated[bool, Label(zh="保持连接", en="Stays connected")] = False


ERRORS = {"away": TransientError("away"), "bug": ValueError("a bug"), "over": PermanentError("the account is closed")}


class Socket(Adapter[SocketSettings]):
    """Publishes its events and ends, or stays; breaks off as often as it is told."""

    manifest = AdapterManifest(
        name="socket", title=Label(zh="试", en="Test"), settings=SocketSettings, events=(GroupJoined,)
    )
    runs: ClassVar[list[str]] = []

    async def open(self) -> None:
        if "settings" in self.settings.fails:
            raise ConfigError("the token is wrong")

    async def run(self, publish: Publish, definitions: DefinitionBook) -> None:
        self.runs.append(self.environment.name)
        number = self.runs.count(self.environment.name)
        if number <= len(self.settings.fails):
            raise ERRORS[self.settings.fails[number - 1]]
        definitions.current(COMMUNITY)
        events: Sequence[Envelope] = [group_joined(minute) for minute in self.settings.minutes]
        await publish(events)
        if self.settings.stays:
            await asyncio.Event().wait()
