"""Sign-ups from forms and landing pages. Owner: intake."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shequn.contracts.base import AccountRef, Contract
from shequn.contracts.chat import JoinEvidence
from shequn.contracts.envelope import Envelope

Language = Literal["zh", "en"]


class FormSubmittedData(Contract):
    """Somebody signed up for a community.

    Attributes:
        account: who; the form channel's own account when there is no chat account yet.
        member_id: the member who owns the account.
        submission_id: the form's id of this submission.
        name: how the person wants to be called.
        language: the language the person reads.
        timezone: IANA name; the community's zone when absent.
        channel: where the person came from, as the operator names it (``qr-poster-3``).
        referral_code: the code of the member who brought this person.
        evidence: what proves the referral.
        consents: what the person agreed to (``messages``, ``rules:3``).
        answers: free answers of the form.
    """

    account: AccountRef
    member_id: str
    submission_id: str = Field(min_length=1, max_length=256)
    name: str = Field(default="", max_length=256)
    language: Language = "zh"
    timezone: str | None = Field(default=None, max_length=64)
    channel: Annotated[str, StringConstraints(max_length=64)] = "direct"
    referral_code: str | None = Field(default=None, max_length=32)
    evidence: tuple[JoinEvidence, ...] = Field(default=(), max_length=16)
    consents: tuple[str, ...] = Field(default=(), max_length=16)
    answers: dict[str, str] = Field(default_factory=dict, max_length=64)


class FormSubmitted(Envelope):
    """A sign-up form came in."""

    type: Literal["signups.form.submitted.v1"] = "signups.form.submitted.v1"
    data: FormSubmittedData
