"""The generic signed HTTP channel: CloudEvents 1.0 in JSON, signed as Standard Webhooks 1.0 has it.

Whoever runs a bot, a form or a shop that no adapter speaks posts our own facts here. Only facts of the outside world
are taken (chat, sign-ups, payments); what our services conclude is not. A body is one event, or a list of them.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue

from services.intake.adapters.channel_settings import COMMUNITY, Secrets
from services.intake.adapters.documents import (
    as_object,
    read_json,
    recorded,
    require_group,
    require_timezone,
    validated,
)
from services.intake.adapters.standard_webhooks import StandardWebhookVerifier
from services.intake.facts import OUTSIDE_FACTS
from shequn.adapters import (
    Adapter,
    AdapterEnvironment,
    AdapterManifest,
    AdapterSettings,
    IdKind,
    Label,
    RawRequest,
    ReceiveContext,
)
from shequn.adapters.errors import MalformedError
from shequn.contracts import ids
from shequn.contracts.base import AccountRef, Contract, Slug, Timestamp
from shequn.contracts.envelope import Envelope

_BY_TYPE = {event.TYPE: event for event in OUTSIDE_FACTS}
_SUBJECT_FIELDS = ("message_id", "submission_id", "payment_id", "member_id")
_MESSAGE_REFS = ("reply_to", "target")
_MOST_EVENTS = 500


class GenericSettings(AdapterSettings):
    """Settings of a generic channel.

    Attributes:
        community: the only community it may write to; none lets each event name its own.
        secrets: any of them may sign.
    """

    community: Annotated[Slug | None, COMMUNITY] = None
    secrets: Secrets


def _text(value: Any) -> Any:
    # Pydantic would read a number, also one in quotes, as seconds or milliseconds, by its size.
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("must be an RFC 3339 text such as 2026-01-31T08:00:00+08:00")
    return value


class _CloudEvent(Contract):
    """A CloudEvent as it comes in. Attributes that we derive ourselves are not even read."""

    model_config = ConfigDict(hide_input_in_errors=True)

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=256)
    source: str = Field(min_length=1, max_length=256)
    type: str = Field(max_length=128)
    time: Annotated[Timestamp, BeforeValidator(_text)]
    community: Slug | None = None
    data: dict[str, JsonValue]


class GenericAdapter(Adapter[GenericSettings]):
    """Takes signed CloudEvents."""

    manifest: ClassVar[AdapterManifest] = AdapterManifest(
        name="generic",
        title=Label(zh="通用签名通道", en="Generic signed channel"),
        settings=GenericSettings,
        events=tuple(OUTSIDE_FACTS),
        id_kinds=(IdKind("account_id", Label(zh="来源平台的账号", en="An account of the platform it comes from")),),
    )

    def __init__(self, settings: GenericSettings, environment: AdapterEnvironment) -> None:
        """Read the secrets.

        Raises:
            ConfigError: one is not a secret.
        """
        super().__init__(settings, environment)
        self._verifier = StandardWebhookVerifier(settings.secrets, environment.name)

    def verify(self, request: RawRequest) -> None:
        """Check the signature; see :class:`shequn.adapters.Receives`."""
        self._verifier.verify(request)

    def normalise(self, raw: RawRequest, context: ReceiveContext) -> Sequence[Envelope]:
        """Turn one CloudEvent, or a list of them, into events; see :class:`shequn.adapters.Receives`."""
        document = read_json(raw.body)
        if not isinstance(document, list):
            return [self._event(as_object(document, ""), context, "")]
        if not 1 <= len(document) <= _MOST_EVENTS:
            raise MalformedError("", f"a list must hold 1 to {_MOST_EVENTS} events")
        return [self._event(as_object(item, str(index)), context, str(index)) for index, item in enumerate(document)]

    def _event(self, document: Mapping[str, Any], context: ReceiveContext, place: str) -> Envelope:
        incoming = validated(_CloudEvent, document, place)
        event = _BY_TYPE.get(incoming.type)
        if event is None:
            raise MalformedError(_at(place, "type"), f"is not taken here; taken are: {', '.join(sorted(_BY_TYPE))}")
        community = self._community(incoming, place)
        definition = context.definition(community)
        model = OUTSIDE_FACTS[event]
        data = validated(model, _own(incoming.data, model, place), _at(place, "data"))
        if (group := getattr(data, "group", None)) is not None:
            require_group(definition, group, _at(place, "data.group"))
        require_timezone(getattr(data, "timezone", None), _at(place, "data.timezone"))
        return recorded(
            event,
            context,
            time=incoming.time,
            time_field=_at(place, "time"),
            community=community,
            subject=next(value for name in _SUBJECT_FIELDS if (value := getattr(data, name, None))),
            origin=(context.channel, incoming.source, incoming.id),
            data=data,
        )

    def _community(self, incoming: _CloudEvent, place: str) -> str:
        bound = self.settings.community
        if bound is not None and incoming.community not in {None, bound}:
            raise MalformedError(_at(place, "community"), f"this channel writes to {bound!r} only")
        community = bound or incoming.community
        if community is None:
            raise MalformedError(_at(place, "community"), "is missing; this channel serves several communities")
        return community


def _own(data: Mapping[str, Any], model: type[Contract], place: str) -> dict[str, Any]:
    """Give the data with member ids of our own making: who is whom is never believed from outside."""
    owned = dict(data)
    if "member_id" in model.model_fields:
        owned["member_id"] = ids.member_id(_account(data.get("account"), _at(place, "data.account")))
    for name in _MESSAGE_REFS:
        ref = data.get(name)
        if name in model.model_fields and isinstance(ref, dict):
            author = ref.get("author")
            known = isinstance(author, dict)
            field = _at(place, f"data.{name}.author")
            owned[name] = {**ref, "author": ids.member_id(_account(author, field)) if known else None}
    return owned


def _account(value: Any, field: str) -> AccountRef:
    return validated(AccountRef, as_object(value, field), field)


def _at(place: str, field: str) -> str:
    return f"{place}.{field}" if place else field
