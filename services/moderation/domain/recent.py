"""A member's latest messages in a group: as many as the flood rule needs."""

from collections.abc import Mapping

Recent = Mapping[str, int]
"""When each message was posted, in milliseconds since 1970, by message id."""


def remember(recent: Recent, message_id: str, at: int, keep: int) -> dict[str, int]:
    """Add a message and keep the ``keep`` latest ones. A message told twice stays at its first time."""
    kept = dict(recent)
    kept.setdefault(message_id, at)
    while len(kept) > keep:
        _, oldest = min(zip(kept.values(), kept, strict=True))
        del kept[oldest]
    return kept


def without_stale(by_group: Mapping[str, Recent], at: int, longest_window: int) -> dict[str, Recent]:
    """Leave out groups whose latest message is older than every flood window, seen from ``at``; in milliseconds."""
    return {
        group: recent for group, recent in by_group.items() if max(recent.values(), default=0) > at - longest_window
    }
