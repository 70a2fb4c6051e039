"""The naive variant of a chat consumer: FastStream's default handler, one transaction per message.

The folds and their statements are the services' own; only the batching is gone.
"""

import asyncio
import sys

import uvloop
from faststream.nats import JStream, NatsBroker, NatsMessage

from bench.spine.consumers import CONSUMERS, environment
from shequn.contracts.chat import MessagePosted
from shequn.runtime.bus import Bus
from shequn.runtime.clock import SystemClock
from shequn.runtime.definitions import DefinitionFollower
from shequn.runtime.fold import FoldContext
from shequn.runtime.fold.decoder import Delivery
from shequn.runtime.fold.transaction import FoldTransaction
from shequn.runtime.outbox import OutboxRelay
from shequn.runtime.store import Store
from shequn.runtime.store.migrate import migrate


async def main(name: str) -> None:
    """Consume until the process is ended."""
    consumer, settings = CONSUMERS[name], environment()
    await migrate(settings.postgres_dsn, name, consumer.package)
    store, bus = Store(settings.postgres_dsn, schema=name), Bus(settings.nats_url, name=f"naive-{name}-outbox")
    await store.open()
    await bus.connect()
    definitions = DefinitionFollower(bus)
    await definitions.start()
    relay = OutboxRelay(store, bus.publisher)
    relay.start()
    connection = await store.fold_connection()
    transaction, clock = FoldTransaction(consumer.folder()), SystemClock()
    broker = NatsBroker(settings.nats_url)

    @broker.subscriber(MessagePosted.TYPE, stream=JStream("CHAT", declare=False), durable=f"naive-{name}")
    async def handle(event: MessagePosted, message: NatsMessage) -> None:
        async with connection.transaction():
            delivery = Delivery(message.raw_message, event)
            await transaction.run(connection, [delivery], FoldContext(clock.now(), definitions))
        relay.wake()

    await broker.start()
    settings.tell_ready()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
