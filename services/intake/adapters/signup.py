"""Sign-ups from a form or landing page: plain JSON, signed as Standard Webhooks 1.0 has it.

A person without a chat account is known by e-mail address or telephone number, on the platform ``form``. A referral
code that the person gave is evidence of itself; so is what the page adds (invite link, QR channel).
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from services.intake.adapters.channel_settings import ChannelSettings
from services.intake.adapters.documents import read_object, recorded, require_timezone, validated
from services.intake.adapters.standard_webhooks import MESSAGE_ID, StandardWebhookVerifier
from shequn.adapters import Adapter, AdapterEnvironment, AdapterManifest, IdKind, Label, RawRequest, ReceiveContext
from shequn.adapters.errors import MalformedError
from shequn.contracts import ids
from shequn.contracts.base import AccountRef, Contract, Timestamp
from shequn.contracts.chat import JoinEvidence
from shequn.contracts.envelope import Envelope
from shequn.contracts.signups import FormSubmitted, FormSubmittedData, Language

FORM_PLATFORM = "form"
_MOST_ID = 256
_PHONE_DECORATION = re.compile(r"[\s().-]")


def _nothing_for_empty(value: Any) -> Any:
    """Forms send an empty text for a field that nobody filled in."""
    return None if isinstance(value, str) and not value.strip() else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _bare_number(value: Any) -> Any:
    return _PHONE_DECORATION.sub("", value) if isinstance(value, str) else value


_Empty = BeforeValidator(_nothing_for_empty)
_Email = Annotated[
    str, StringConstraints(pattern=r"^[^\s@]+@[^\s@]+\.[^\s@]+$", max_length=254), BeforeValidator(_lower)
]
_Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{5,15}$"), BeforeValidator(_bare_number)]


class SignupForm(Contract):
    """The body.

    Attributes:
        submitted_at: when the form was sent off, with its offset; with ``submission_id`` it makes a resend the same.
        submission_id: the form's id of this submission; the header ``webhook-id`` by default.
        account: the chat account, where the page knows it.
        email: or an e-mail address.
        phone: or a telephone number.
        name, language, timezone, channel, referral_code, evidence, consents, answers: as in
            :class:`shequn.contracts.signups.FormSubmittedData`.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    submitted_at: Timestamp
    submission_id: Annotated[str | None, _Empty] = Field(default=None, max_length=_MOST_ID)
    account: AccountRef | None = None
    email: Annotated[_Email | None, _Empty] = None
    phone: Annotated[_Phone | None, _Empty] = None
    name: str = Field(default="", max_length=256)
    language: Language = "zh"
    timezone: Annotated[str | None, _Empty] = Field(default=None, max_length=64)
    channel: str = Field(default="direct", max_length=64)
    referral_code: Annotated[str | None, _Empty] = Field(default=None, max_length=32)
    evidence: tuple[JoinEvidence, ...] = Field(default=(), max_length=15)
    consents: tuple[str, ...] = Field(default=(), max_length=16)
    answers: dict[str, str] = Field(default_factory=dict, max_length=64)


class SignupAdapter(Adapter[ChannelSettings]):
    """Takes signed sign-up forms."""

    manifest: ClassVar[AdapterManifest] = AdapterManifest(
        name="signup",
        title=Label(zh="报名表单", en="Sign-up form"),
        settings=ChannelSettings,
        events=(FormSubmitted,),
        id_kinds=(IdKind("account_id", Label(zh="邮箱、电话或平台账号", en="E-mail, telephone or chat account")),),
    )

    def __init__(self, settings: ChannelSettings, environment: AdapterEnvironment) -> None:
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
        """Turn a form into a sign-up; see :class:`shequn.adapters.Receives`."""
        form = validated(SignupForm, read_object(raw.body))
        require_timezone(form.timezone, "timezone")
        community = self.settings.community
        context.definition(community)
        submission = _submission(form, raw)
        account = _account(form)
        data = FormSubmittedData(
            account=account,
            member_id=ids.member_id(account),
            submission_id=submission,
            evidence=_evidence(form),
            **form.model_dump(include=set(_COPIED)),
        )
        event = recorded(
            FormSubmitted,
            context,
            time=form.submitted_at,
            time_field="submitted_at",
            community=community,
            subject=submission,
            origin=(context.channel, submission),
            data=data,
        )
        return [event]


_COPIED = ("name", "language", "timezone", "channel", "referral_code", "consents", "answers")


def _submission(form: SignupForm, raw: RawRequest) -> str:
    submission = form.submission_id or raw.headers.get(MESSAGE_ID, "")
    if not submission:
        raise MalformedError("submission_id", f"is missing, and so is the header {MESSAGE_ID}")
    if len(submission) > _MOST_ID:
        raise MalformedError("submission_id", f"is missing, and the header {MESSAGE_ID} is too long to stand for it")
    return submission


def _account(form: SignupForm) -> AccountRef:
    if form.account is not None:
        return form.account
    contact = form.email or form.phone
    if contact is None:
        raise MalformedError("account", "is missing; give an account, an email or a phone")
    return AccountRef(platform=FORM_PLATFORM, account_id=contact)


def _evidence(form: SignupForm) -> tuple[JoinEvidence, ...]:
    if form.referral_code is None or any(piece.kind == "code" for piece in form.evidence):
        return form.evidence
    return (*form.evidence, JoinEvidence(kind="code", value=form.referral_code))
