"""Referrals: codes, claims and who earns a commission.

A member's code is derived from the member and the community, so it needs no drawing and is the same everywhere. Ten
characters of Crockford's base 32 carry 50 bits: among 100,000 members of a community two share a code with probability
0.000 005. Then the member who was registered first keeps it; the other one's code is refused when it is asked for.

One level is paid: the referrer of the buyer, not the referrer's referrer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.commerce.domain.customers import Customer
from services.commerce.domain.orders import Order
from shequn.contracts.chat import JoinEvidence
from shequn.contracts.definitions.products import ReferralPolicy
from shequn.contracts.ids import CODE_ALPHABET, CODE_LENGTH

_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


@dataclass(frozen=True, slots=True)
class ReferralCode:
    """Whose code it is, and who came with it before its owner was known.

    Attributes:
        member_id: the owner; none until the owner's joining is known.
        waiting: members whose attribution waits for that.
    """

    community: str
    code: str
    member_id: str | None = None
    waiting: list[str] = field(default_factory=list)


def read_code(written: str | None) -> str | None:
    """Read a code as people write it: small letters, spaces, hyphens, O for 0, I and L for 1.

    None when it is no code.
    """
    if not written:
        return None
    code = written.upper().translate(_LOOK_ALIKES)
    return code if len(code) == CODE_LENGTH and all(letter in CODE_ALPHABET for letter in code) else None


def with_owner(row: ReferralCode, member_id: str) -> ReferralCode:
    """Give a code to its owner. Nobody waits for that any more."""
    return replace(row, member_id=member_id, waiting=[])


def with_waiting(row: ReferralCode, member_id: str) -> ReferralCode:
    """Let a member wait for the code's owner."""
    return row if member_id in row.waiting else replace(row, waiting=[*row.waiting, member_id])


def is_proven(evidence: Iterable[JoinEvidence], policy: ReferralPolicy) -> bool:
    """Tell whether a joining comes with evidence of a kind that the policy accepts."""
    return any(piece.kind in policy.evidence for piece in evidence)


def pays_on(order: Order, policy: ReferralPolicy) -> bool:
    """Tell whether an order's sale pays a commission to whoever brought the buyer. What is free does not."""
    return bool(order.price_minor) and order.product in policy.commission_on


def earner(order: Order, customer: Customer, policy: ReferralPolicy) -> str | None:
    """Give the member who earns a commission on a sale that pays one; none when nobody does.

    The sale has to be paid from the buyer's joining on, for as long as the policy's window; both ends count.
    """
    if order.paid_at is None or customer.joined_at is None:
        return None
    in_window = customer.joined_at <= order.paid_at <= customer.joined_at + policy.window
    return customer.referrer if in_window else None
