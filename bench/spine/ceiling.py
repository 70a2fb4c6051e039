"""The ceiling of a chat consumer: pull, write in bulk, acknowledge. It decodes nothing and decides nothing."""

import sys

import uvloop

from bench.spine.consumers import CONSUMERS, environment
from shequn.runtime.bus import Bus
from shequn.runtime.bus.pump import Pump
from shequn.runtime.bus.streams import declare_consumer, declare_streams
from shequn.runtime.process import calm_garbage_collector
from shequn.runtime.store import Store

_WRITE = "INSERT INTO ceiling (seq, payload) SELECT * FROM unnest($1::bigint[], $2::bytea[])"


async def main(name: str) -> None:
    """Consume until the process is ended."""
    spec, settings = CONSUMERS[name].spec, environment()
    bus, store = Bus(settings.nats_url, name=f"ceiling-{name}"), Store(settings.postgres_dsn, schema=name)
    await bus.connect()
    await declare_streams(bus.jetstream)
    await declare_consumer(bus.jetstream, spec)
    connection = await store.fold_connection()
    await connection.execute(f"CREATE SCHEMA {name}")
    await connection.execute("CREATE TABLE ceiling (seq bigint PRIMARY KEY, payload bytea NOT NULL)")
    pump = Pump(bus.client, spec.stream.name, spec.durable, settings.batch_size)
    await pump.start()
    settings.tell_ready()
    while True:
        batch = await pump.take()
        sequences = [message.metadata.sequence.stream for message in batch]
        await connection.execute(_WRITE, sequences, [message.data for message in batch])
        for message in batch:
            await message.ack()


if __name__ == "__main__":
    calm_garbage_collector()
    uvloop.run(main(sys.argv[1]))
