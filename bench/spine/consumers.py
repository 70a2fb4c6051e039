"""The two chat consumers, and the three ways to run them."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from services.engagement.handlers import ChatFolder as EngagementFolder
from services.moderation.handlers import ChatFolder as ModerationFolder
from shequn.contracts import subjects
from shequn.contracts.subjects import ConsumerSpec
from shequn.local import ProcessSpec, application
from shequn.local.applications import MODULES
from shequn.runtime.fold.folder import Folder

_READY_FILE = "SHEQUN_BENCH_READY_FILE"


class Variant(StrEnum):
    """How the chat consumers work."""

    SERVICES = "services"
    NAIVE = "naive"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True)
class Consumer:
    """One chat consumer.

    Attributes:
        spec: its durable consumer.
        package: its service.
        folder: makes its rules.
        committed: gives in one number how many messages of the replay have committed effects.
    """

    spec: ConsumerSpec
    package: str
    folder: Callable[[], Folder]
    committed: str


CONSUMERS: Mapping[str, Consumer] = MappingProxyType(
    {
        "moderation": Consumer(
            subjects.MODERATION_CHAT,
            "services.moderation",
            ModerationFolder,
            "SELECT coalesce(sum(messages), 0)::bigint FROM moderation.decision_totals",
        ),
        "engagement": Consumer(
            subjects.ENGAGEMENT_CHAT,
            "services.engagement",
            EngagementFolder,
            "SELECT coalesce(sum(messages), 0)::bigint FROM engagement.group_totals",
        ),
    }
)


def committed_query(variant: Variant, name: str) -> str:
    """Give the query that tells how many messages a consumer has committed; cheap, so it may be asked often."""
    if variant is Variant.CEILING:
        # The replay is all that is in the stream, so the newest sequence is the count.
        return f"SELECT coalesce(max(seq), 0) FROM {name}.ceiling"
    return CONSUMERS[name].committed


def processes(variant: Variant, folder: Path) -> list[ProcessSpec]:
    """Describe both consumers as processes.

    Args:
        variant: how they work.
        folder: for the files that tell that a process is ready.
    """
    if variant is Variant.SERVICES:
        return [application(name, MODULES[name]) for name in CONSUMERS]
    return [_plain_process(variant, name, folder / f"{name}.ready") for name in CONSUMERS]


def _plain_process(variant: Variant, name: str, ready_file: Path) -> ProcessSpec:
    exists = ready_file.exists

    async def ready() -> bool:
        return exists()

    return ProcessSpec(
        name=name,
        argv=(sys.executable, "-m", f"bench.spine.{variant}", name),
        ready=ready,
        env={_READY_FILE: str(ready_file)},
        depends_on=("nats", "postgres"),
    )


@dataclass(frozen=True, slots=True)
class Environment:
    """What a plain consumer process is told. ``batch_size`` is the services' default."""

    nats_url: str
    postgres_dsn: str
    ready_file: Path
    batch_size: int = 500

    def tell_ready(self) -> None:
        """Tell the supervisor that the process works."""
        self.ready_file.touch()


def environment() -> Environment:
    """In a plain consumer process: read what it is told."""
    return Environment(os.environ["SHEQUN_NATS_URL"], os.environ["SHEQUN_POSTGRES_DSN"], Path(os.environ[_READY_FILE]))
