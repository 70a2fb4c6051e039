"""Every event and command type, and its class."""

from shequn.contracts import actions, chat, commerce, engagement, funnels, members, moderation, payments, signups
from shequn.contracts.definitions.community import DefinitionApplied
from shequn.contracts.envelope import Envelope

EVENTS: tuple[type[Envelope], ...] = (
    chat.MessagePosted,
    chat.ReactionAdded,
    chat.GroupJoined,
    chat.GroupLeft,
    signups.FormSubmitted,
    payments.ChargeSucceeded,
    payments.ChargeRefunded,
    members.MemberJoined,
    members.MemberUpdated,
    members.MemberLeft,
    moderation.MessageFlagged,
    moderation.SanctionImposed,
    engagement.FirstPosted,
    engagement.FirstReplied,
    engagement.TierChanged,
    engagement.PointsEarned,
    commerce.OrderPaid,
    commerce.PaymentParked,
    commerce.OrderRefunded,
    commerce.EntitlementGranted,
    commerce.EntitlementRevoked,
    commerce.CommissionHeld,
    commerce.CommissionReversed,
    commerce.ReferralAttributed,
    funnels.EnrollmentStarted,
    funnels.StageReached,
    funnels.OfferMade,
    funnels.TagAdded,
    funnels.GoalReached,
    funnels.EnrollmentFinished,
    actions.SendMessage,
    actions.DeleteMessage,
    actions.ActionSettled,
    DefinitionApplied,
)

BY_TYPE: dict[str, type[Envelope]] = {event.TYPE: event for event in EVENTS}
