"""The facts of the outside world that intake brings in, and the model of each one's data."""

from shequn.contracts.base import Contract
from shequn.contracts.chat import (
    GroupJoined,
    GroupJoinedData,
    GroupLeft,
    GroupLeftData,
    MessagePosted,
    MessagePostedData,
    ReactionAdded,
    ReactionAddedData,
)
from shequn.contracts.envelope import Envelope
from shequn.contracts.payments import ChargeRefunded, ChargeRefundedData, ChargeSucceeded, ChargeSucceededData
from shequn.contracts.signups import FormSubmitted, FormSubmittedData

OUTSIDE_FACTS: dict[type[Envelope], type[Contract]] = {
    MessagePosted: MessagePostedData,
    ReactionAdded: ReactionAddedData,
    GroupJoined: GroupJoinedData,
    GroupLeft: GroupLeftData,
    FormSubmitted: FormSubmittedData,
    ChargeSucceeded: ChargeSucceededData,
    ChargeRefunded: ChargeRefundedData,
}
