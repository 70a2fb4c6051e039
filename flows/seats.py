"""How many seats are taken, read now and then: texts name the price of the next buyer without a hot row."""

from collections.abc import Mapping

from flows.engine.seats import SeatsTaken
from flows.store import Connection, read_seats_taken


class SeatBoard:
    """The seats taken at the last reading. Commerce alone decides what a buyer really pays."""

    def __init__(self) -> None:
        """Start with every seat free."""
        self._taken: Mapping[tuple[str, str], Mapping[int, int]] = {}

    async def refresh(self, connection: Connection) -> None:
        """Read the seats taken."""
        self._taken = await read_seats_taken(connection)

    def of(self, community: str) -> SeatsTaken:
        """Give the seats taken in one community."""
        taken = self._taken
        return lambda product: taken.get((community, product), {})
