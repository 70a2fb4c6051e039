"""Rules of groups, as part of ``community.yaml``."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from shequn.definitions.scalars import Amount, Count, Duration, Name, Window, Words
from shequn.definitions.surface.base import Surface
from shequn.definitions.surface.texts import PointList, Text


class FloodSurface(Surface):
    """More messages of one member than this are flooding."""

    messages: Count = Field(description="So many messages …")
    within: Duration = Field(description="… within so long.")


class LinksSurface(Surface):
    """What a link needs."""

    min_words: Count = Field(
        default=4, description="How much text explains a link; a Chinese character counts as a word."
    )
    allow: Words | None = Field(default=None, description="Domains whose links need no explanation.")


class AdsWindowSurface(Surface):
    """A weekly window for ads."""

    day: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = Field(description="The weekday.")
    at: Window = Field(description="The hours.")


class AdsRedPacketSurface(Surface):
    """The red packet that an ad costs."""

    per_member: Amount | None = Field(default=None, description="For each member of the group.")
    amount: Amount | None = Field(default=None, description="In all.")


class AdsSurface(Surface):
    """When and for what price members may advertise."""

    window: AdsWindowSurface | None = Field(default=None, description="When.")
    red_packet: AdsRedPacketSurface | None = Field(default=None, description="For what price.")
    fee: Amount | None = Field(default=None, description="Or for a fee.")


class TaskSurface(Surface):
    """A weekly task, and what missing it leads to."""

    weekly: Name = Field(description="The task.")
    leave_after: Count | None = Field(default=None, description="Missed so often: may take leave.")
    warn_after: Count | None = Field(default=None, description="Missed so often: warning.")
    remove_after: Count | None = Field(default=None, description="Missed so often: removal.")
    revive: Duration | None = Field(default=None, description="How long a removed member may come back.")


class ForbidSurface(Surface):
    """One forbidden kind, and what is done about it."""

    kind: Name = Field(description="What is forbidden.")
    do: Literal["delete", "flag"] = Field(
        default="delete", description="Delete the message, or only show it to a person."
    )


def _kind_of_ban(value: Any) -> str:
    return "<forbid>" if isinstance(value, dict) else "<name>"


def _kind_of_ads(value: Any) -> str:
    return "<ads>" if isinstance(value, dict) else "<word>"


Ban = Annotated[Annotated[Name, Tag("<name>")] | Annotated[ForbidSurface, Tag("<forbid>")], Discriminator(_kind_of_ban)]
Ads = Annotated[
    Annotated[Literal["ban"], Tag("<word>")] | Annotated[AdsSurface, Tag("<ads>")], Discriminator(_kind_of_ads)
]
LadderRung = Literal["remind", "warn-private", "penalty-public", "remove"]


class RulesSurface(Surface):
    """The rules of groups that name them."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "words": "word lists stand at the top of community.yaml or in words/KIND.txt; rules name the kind in `forbid`",
    }

    extends: Name | None = Field(default=None, description="Other rules, whose fields hold where these say nothing.")
    notice: PointList | None = Field(default=None, description="The announcement: at most three points.")
    forbid: tuple[Ban, ...] | None = Field(default=None, description="What is forbidden: link kinds and word lists.")
    links: LinksSurface | None = Field(default=None, description="What a link needs.")
    flood: FloodSurface | None = Field(default=None, description="What counts as flooding.")
    ladder: tuple[LadderRung, ...] | None = Field(
        default=None, min_length=1, description="What the first, second … offence brings."
    )
    strikes_expire: Duration | None = Field(default=None, description="How long an offence counts; 30d when absent.")
    appeal: Duration | None = Field(
        default=None, description="How long a member may appeal, in whole hours; 24h when absent."
    )
    nickname: Text | None = Field(default=None, description="The nickname template.")
    quiet: Window | None = Field(default=None, description="Hours without chat.")
    ads: Ads | None = Field(default=None, description="`ban`, or when and for what price.")
    voice: Literal["allow", "forbid"] | None = Field(default=None, description="Whether voice messages are allowed.")
    task: TaskSurface | None = Field(default=None, description="A weekly task.")
