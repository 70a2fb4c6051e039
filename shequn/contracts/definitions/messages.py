"""What messages may leave open, and who fills it in."""

FUNNEL_PLACEHOLDERS: dict[str, str] = {
    "name": "how the member wants to be called",
    "code": "the member's own referral code",
    "community": "the community's name, in the reader's language",
    "product": "the offered product's name, in the reader's language",
    "price": "the offered product's price with its currency; only where the product has one price",
    "expires": "the moment the offer ends, on the member's clock",
}
"""Placeholders of messages that funnels send. ``product``, ``price`` and ``expires`` only where a step offers."""

OFFER_PLACEHOLDERS = frozenset({"product", "price", "expires"})
"""Those that only a message which makes an offer can have."""

MODERATION_PLACEHOLDERS: dict[str, str] = {
    "group": "the group's name, in the reader's language",
    "reason": "what was found, as a sentence",
    "strikes": "unexpired strikes, this one included",
    "appeal_hours": "how long the member may appeal, in hours",
}
"""Placeholders of the messages that moderation sends."""

MODERATION_MESSAGES = ("moderation-remind", "moderation-warn")
"""Ids of messages that replace the built-in texts of the ladder's rungs."""
