"""The base of every model that crosses a process boundary."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""A name an operator chose: lower case letters, digits, ``-`` and ``_``, at most 64 characters."""

PlatformId = Annotated[str, StringConstraints(min_length=1, max_length=256)]
"""An id a platform gave. Always a string: some platforms' ids do not fit a double."""

Timestamp = AwareDatetime
"""A moment with its offset. Written in UTC."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number of money, points, seats, strikes. ``true``, ``"990"`` and ``9.0`` are refused, not read as numbers."""

YesOrNo = Annotated[bool, Field(strict=True)]
"""``true`` or ``false``. ``1``, ``"yes"`` and ``"off"`` are refused."""


class Contract(BaseModel):
    """A frozen model that reads tolerantly: a reader ignores fields that a newer writer added."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class AccountRef(Contract):
    """One identity on one platform."""

    platform: Slug
    account_id: PlatformId


class Money(Contract):
    """An amount of money.

    Attributes:
        minor: the amount in the currency's minor unit (fen, cent); never negative.
        currency: ISO 4217 code in capitals.
    """

    minor: Whole = Field(ge=0, le=10**15)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
