"""Ids that are derived, not drawn: the same fact always has the same id.

An event id is a UUID of version 8 (RFC 9562, custom): 48 bits of the event's time in milliseconds, then 74 bits of a
BLAKE2b hash of what makes the fact unique. Time comes first so that database indexes stay local; a redelivery, a retry
or a second webhook call derives the same id and is recognised.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from shequn.contracts.base import AccountRef

CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that reads like a digit."""

CODE_LENGTH = 10

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MAX_MILLISECONDS = (1 << 48) - 1


def event_id(time: datetime, *parts: str) -> str:
    """Derive the id of a fact.

    Args:
        time: when the fact happened, with its offset; from 1970 to the year 10889.
        parts: what makes the fact unique, for example platform, account, platform message id and kind.

    Raises:
        ValueError: when ``time`` is before 1970.
    """
    milliseconds = (time - _EPOCH) // _MILLISECOND
    if not 0 <= milliseconds <= _MAX_MILLISECONDS:
        raise ValueError(f"event time {time.isoformat()} is outside 1970–10889; correct the sender's clock")
    return str(_uuid8(milliseconds, _digest(parts)))


def member_id(account: AccountRef) -> str:
    """Derive the id of the member who owns ``account`` until it is stitched to another member."""
    digest = _digest(("member", account.platform, account.account_id))
    return str(_uuid8(digest >> 80, digest))


def action_id(idempotency_key: str) -> str:
    """Derive the id of an action from its idempotency key; it has no time, so a retry days later has the same id."""
    digest = _digest(("action", idempotency_key))
    return str(_uuid8(digest >> 80, digest))


def referral_code(community: str, member_id: str) -> str:
    """Derive a member's referral code: ten characters of Crockford's base 32, 50 bits.

    Who sends the code to a member and who takes it back from a newcomer derive the same, without asking each other.
    """
    # A community's name has no slash, so no two pairs give the same text.
    digest = blake2b(f"referral/{community}/{member_id}".encode(), digest_size=8).digest()
    value = int.from_bytes(digest, "big")
    return "".join(CODE_ALPHABET[(value >> (5 * place)) & 31] for place in range(CODE_LENGTH))


def _digest(parts: tuple[str, ...]) -> int:
    # Length prefixes keep ("ab", "c") and ("a", "bc") apart.
    joined = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
    return int.from_bytes(blake2b(joined, digest_size=16).digest(), "big")


def _uuid8(high_48_bits: int, digest: int) -> UUID:
    value = (high_48_bits & _MAX_MILLISECONDS) << 80
    value |= 0x8 << 76
    value |= ((digest >> 62) & 0xFFF) << 64
    value |= 0b10 << 62
    value |= digest & ((1 << 62) - 1)
    return UUID(int=value)
