"""Settings of intake."""

from datetime import timedelta
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from shequn.adapters.times import AHEAD, MOST_AHEAD
from shequn.contracts.base import Slug
from shequn.runtime.settings import RuntimeSettings


class AdapterChoice(BaseModel):
    """Which adapter, and its settings beside it. Shown by the adapter's name alone: settings may be secrets."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    adapter: Slug

    def __repr_args__(self) -> Any:
        """Hide everything but the name."""
        return [("adapter", self.adapter)]

    def adapter_settings(self) -> dict[str, Any]:
        """Give what stands beside the adapter's name."""
        return {name: value for name, value in self if name != "adapter" and value is not None}


class ChannelChoice(AdapterChoice):
    """A channel of ``POST /hooks/{channel}``.

    Attributes:
        adapter: who reads what comes in.
        community: the community its events belong to.
        secrets: who knows one of them is believed.
    """

    community: Slug | None = None
    secrets: tuple[SecretStr, ...] = Field(min_length=1)


class IntakeSettings(RuntimeSettings):
    """Read from the environment, with the prefix ``SHEQUN_``.

    Attributes:
        intake_channels: JSON: channel name to ``{"adapter": …, "community": …, "secrets": [ … ]}``.
        intake_incoming: JSON: channel name to the adapter that fetches events by itself, as ``{"adapter": …}`` with its
            settings.
        intake_outgoing: JSON: platform to the adapter that executes actions there, by name or as ``{"adapter": …}``
            with its settings; ``recording`` for every other platform.
        intake_ahead_seconds: how far after now the time of an event may be, by the system's clock. A day, because
            platforms' clocks are minutes off and a local time sent as UTC up to 14 hours ahead; what claims to come
            from further ahead is refused, for it would count as the latest news until that day. At most a year.
        intake_body_bytes: how long a webhook's body may be.
        intake_body_seconds: how long a sender may take to send it.
        intake_ack_seconds: how long a webhook waits for the bus before it is answered 503.
        intake_delivery_batch: how many actions are claimed at once.
        intake_action_seconds: how long an adapter may take for an action, or for a batch.
        intake_stop_seconds: how long a stop waits for what an adapter has in hand, before it is cut off. Supervisors
            kill after 20 s (``./run up``) or 30 s (compose), and the rest of the stop needs some of it.
        intake_attempts: how often an action that is delayed is tried before it fails.
        intake_retry_seconds: how long after the first delay it is tried again; twice as long each time.
        intake_retry_most_seconds: and at most this long after.
        intake_account_grace_seconds: how long an action for a member without an account waits for one.
        intake_delivery_days: how long the text of a settled action is kept.
    """

    intake_channels: Annotated[dict[Slug, ChannelChoice], NoDecode] = Field(default_factory=dict)
    intake_incoming: Annotated[dict[Slug, AdapterChoice], NoDecode] = Field(default_factory=dict)
    intake_outgoing: Annotated[dict[Slug, AdapterChoice], NoDecode] = Field(default_factory=dict)
    intake_ahead_seconds: float = Field(default=AHEAD.total_seconds(), ge=0, le=MOST_AHEAD.total_seconds())
    intake_body_bytes: int = Field(default=256 * 1024, ge=1024, le=512 * 1024)
    intake_body_seconds: float = Field(default=10.0, gt=0)
    intake_ack_seconds: float = Field(default=10.0, gt=0)
    intake_delivery_batch: int = Field(default=200, ge=1, le=2_000)
    intake_action_seconds: float = Field(default=30.0, gt=0)
    intake_stop_seconds: float = Field(default=10.0, ge=0)
    intake_attempts: int = Field(default=12, ge=1)
    intake_retry_seconds: float = Field(default=2.0, gt=0)
    intake_retry_most_seconds: float = Field(default=900.0, gt=0)
    intake_account_grace_seconds: float = Field(default=5.0, ge=0)
    intake_delivery_days: int = Field(default=30, ge=1)

    @property
    def ahead(self) -> timedelta:
        """How far after now the time of an event may be."""
        return timedelta(seconds=self.intake_ahead_seconds)

    @field_validator("intake_channels", "intake_incoming", "intake_outgoing", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        """Read JSON here, so that a mistake in it is told like any other, and never shown. A name alone will do."""
        if isinstance(value, str):
            try:
                value = orjson.loads(value or "{}")
            except orjson.JSONDecodeError as error:
                raise ValueError(f"is not JSON: {error.msg} at character {error.pos}") from None
        if not isinstance(value, dict):
            return value
        return {name: {"adapter": item} if isinstance(item, str) else item for name, item in value.items()}
