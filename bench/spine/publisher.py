"""The helper process that publishes replayed chats: atomic batches, as intake and the outbox relay publish them."""

import os
from datetime import UTC, datetime
from time import monotonic, process_time

import uvloop

from bench.child import answer, requests
from bench.spine.chat import read_chat
from shequn.runtime.bus import Bus, Outgoing


async def main() -> None:
    """Encode and publish what is asked for.

    Requests are ``{"start": n, "stop": n}``. First ``{"prepare": true}`` of them encodes; then the same without it
    publishes, and answers ``first`` and ``last`` on the machine's monotonic clock and the processor ``seconds`` used.
    """
    bus = Bus(os.environ["SHEQUN_NATS_URL"], name="bench-publisher")
    await bus.connect()
    chat = read_chat()
    prepared: list[Outgoing] = []
    async for request in requests():
        if request.get("prepare"):
            events = chat.events(request["start"], request["stop"], datetime.now(UTC))
            prepared = [Outgoing.of(event) for event in events]
            answer({"prepared": len(prepared)})
            continue
        used, first = process_time(), monotonic()
        await bus.publisher.publish(prepared)
        answer({"first": first, "last": monotonic(), "seconds": process_time() - used})
    await bus.close()


if __name__ == "__main__":
    uvloop.run(main())
