"""A claimed action, decoded, with its place in the queue."""

from datetime import datetime

from services.intake.store import Claimed
from shequn.adapters import AddressedAction, Outcome
from shequn.contracts.actions import ActionSettled, ActionSettledData
from shequn.contracts.envelope import Envelope
from shequn.contracts.registry import BY_TYPE

SOURCE = "/intake/delivery"


class ClaimedAction:
    """An action that this process is to execute."""

    def __init__(self, claimed: Claimed) -> None:
        """Decode it.

        Raises:
            KeyError: this version of the program does not know the command.
            ValidationError: or its data.
        """
        self.key = claimed.idempotency_key
        self.attempts = claimed.attempts
        self.seen_by = claimed.seen_by
        self.command: Envelope = BY_TYPE[claimed.action].model_validate_json(claimed.command)
        self.member_id: str | None = getattr(self.command.data, "member_id", None)
        self.address: AddressedAction | None = None

    def settled(self, outcome: Outcome, adapter: str, now: datetime) -> ActionSettled:
        """Make the event that tells its outcome."""
        data = ActionSettledData(
            action_id=self.command.id,
            action=self.command.type,
            idempotency_key=self.key,
            status=outcome.status,
            reason=outcome.reason,
            adapter=adapter,
            until=outcome.until,
            receipt=outcome.receipt,
            member_id=self.member_id,
        )
        key = (self.key, str(self.attempts))
        return ActionSettled.caused_by(self.command, source=SOURCE, subject=self.key, key=key, data=data, time=now)
