"""Facts as JSON, and back."""

from datetime import datetime
from typing import Any

from flows.engine.facts import MemberFacts, Profile, Purchase


def facts_to_json(facts: MemberFacts) -> dict[str, Any]:
    """Give the facts as a JSON object; what is empty is left out."""
    document: dict[str, Any] = {
        "profile": _profile_to_json(facts.profile) if facts.profile.known else None,
        "joined_at": _text(facts.joined_at),
        "seen": {trigger: at.isoformat() for trigger, at in facts.seen.items()},
        "purchases": {order_id: _purchase_to_json(purchase) for order_id, purchase in facts.purchases.items()},
        "brought": {member: at.isoformat() for member, at in facts.brought.items()},
        "tiers": {str(window): [tier, at.isoformat()] for window, (tier, at) in facts.tiers.items()},
        "contribution": facts.contribution,
        "strikes": facts.strikes,
        "strikes_at": _text(facts.strikes_at),
        "tags": sorted(facts.tags),
        "enrolled": sorted(facts.enrolled),
    }
    return {name: value for name, value in document.items() if value}


def facts_from_json(document: dict[str, Any]) -> MemberFacts:
    """Read what :func:`facts_to_json` wrote."""
    if not document:
        return MemberFacts()
    read = document.get
    return MemberFacts(
        profile=_profile_from_json(read("profile")),
        joined_at=_time(read("joined_at")),
        seen={trigger: datetime.fromisoformat(at) for trigger, at in read("seen", {}).items()},
        purchases={order_id: _purchase_from_json(purchase) for order_id, purchase in read("purchases", {}).items()},
        brought={member: datetime.fromisoformat(at) for member, at in read("brought", {}).items()},
        tiers={int(window): (tier, datetime.fromisoformat(at)) for window, (tier, at) in read("tiers", {}).items()},
        contribution=read("contribution", 0),
        strikes=read("strikes", 0),
        strikes_at=_time(read("strikes_at")),
        tags=frozenset(read("tags", ())),
        enrolled=frozenset(read("enrolled", ())),
    )


def _profile_to_json(profile: Profile) -> dict[str, Any]:
    return {
        "event_id": profile.event_id,
        "name": profile.name,
        "language": profile.language,
        "channel": profile.channel,
        "timezone": profile.timezone,
        "consents": list(profile.consents),
    }


def _profile_from_json(document: dict[str, Any] | None) -> Profile:
    if document is None:
        return Profile()
    return Profile(**{**document, "consents": tuple(document["consents"])})


def _purchase_to_json(purchase: Purchase) -> dict[str, Any]:
    return {
        "product": purchase.product,
        "rung": purchase.rung,
        "currency": purchase.currency,
        "minor": purchase.minor,
        "overpaid_minor": purchase.overpaid_minor,
        "paid_at": _text(purchase.paid_at),
        "refunded_minor": purchase.refunded_minor,
        "whole": purchase.whole,
        "refunded_at": _text(purchase.refunded_at),
    }


def _purchase_from_json(document: dict[str, Any]) -> Purchase:
    times = {"paid_at": _time(document["paid_at"]), "refunded_at": _time(document["refunded_at"])}
    return Purchase(**{**document, **times})


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
