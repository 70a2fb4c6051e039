"""Texts with placeholders (:data:`shequn.contracts.definitions.messages.FUNNEL_PLACEHOLDERS`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flows.engine.facts import MemberFacts
from flows.engine.guards import zone_of
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.definitions.currency import Currency
from shequn.contracts.ids import referral_code

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class MissingTextError(ValueError):
    """A funnel sends a message that the definition does not have."""

    def __init__(self, funnel: str, step: str, message: str) -> None:
        """Name the funnel, the step and the message."""
        super().__init__(f"funnel {funnel!r}, step {step!r}: there is no text for message {message!r}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace placeholders that have a value; others stay as they are."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


@dataclass(frozen=True, slots=True)
class OfferTerms:
    """What a message says of the offer it makes. ``price_minor`` is what the next buyer pays, in minor units."""

    product: str
    expires: datetime | None
    price_minor: int | None


def placeholders(
    community: CommunityDefinition, member_id: str, facts: MemberFacts, language: str, offer: OfferTerms | None
) -> dict[str, str]:
    """Give the values of the placeholders that are known."""
    values = {
        "name": facts.profile.name,
        "community": community.name.in_language(language),
        "code": referral_code(community.community, member_id),
    }
    if offer is None:
        return values
    product = community.product(offer.product)
    if product is not None:
        values["product"] = product.name.in_language(language) or product.id
    if offer.price_minor is not None:
        values["price"] = _with_currency(offer.price_minor, community.priced_in)
    if offer.expires is not None:
        zone = zone_of(facts.profile.timezone, community.timezone)
        values["expires"] = f"{offer.expires.astimezone(zone):%Y-%m-%d %H:%M}"
    return values


def _with_currency(minor: int, currency: Currency) -> str:
    amount = currency.major(minor)
    return f"{amount:.0f} {currency.code}" if amount == amount.to_integral_value() else currency.in_words(minor)
