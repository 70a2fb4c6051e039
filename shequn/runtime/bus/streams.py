"""Declares streams and consumers, and checks that the server keeps what it acknowledges."""

from datetime import datetime, timedelta

import httpx2
from nats.js import JetStreamContext, api
from nats.js.errors import BadRequestError, NotFoundError

from shequn.contracts.subjects import STREAMS, ConsumerSpec, StreamSpec
from shequn.runtime.failures import ConfigError, TransientError

_SAFE_REPLICAS = 3  # a majority of three survives one loss
_UNLIMITED = timedelta(0)


def stream_config(spec: StreamSpec, replicas: int = 1) -> api.StreamConfig:
    """Give the server's configuration of a stream."""
    return api.StreamConfig(
        name=spec.name,
        subjects=list(spec.subjects),
        retention=api.RetentionPolicy(spec.retention.value),
        # A full stream refuses; it never drops what it acknowledged.
        discard=api.DiscardPolicy.NEW,
        storage=api.StorageType.FILE,
        max_age=(spec.max_age or _UNLIMITED).total_seconds(),
        max_bytes=spec.max_bytes,
        num_replicas=replicas,
        duplicate_window=spec.duplicate_window.total_seconds(),
        allow_atomic=True,
        allow_direct=True,
    )


async def declare_streams(jetstream: JetStreamContext, replicas: int = 1) -> None:
    """Create the streams that are missing and update those whose limits changed.

    Raises:
        ConfigError: the server refuses a stream.
    """
    for spec in STREAMS:
        config = stream_config(spec, replicas)
        try:
            await jetstream.add_stream(config)
        except BadRequestError:
            await _update(jetstream, config)


async def _update(jetstream: JetStreamContext, config: api.StreamConfig) -> None:
    try:
        await jetstream.update_stream(config)
    except BadRequestError as error:
        raise ConfigError(f"NATS refuses the stream {config.name}: {error.description}") from error


async def declare_consumer(
    jetstream: JetStreamContext, spec: ConsumerSpec, since: datetime | None = None
) -> api.ConsumerInfo:
    """Create a durable pull consumer, or update it.

    Args:
        jetstream: the JetStream interface.
        spec: what it is.
        since: where one that is created begins: with what the stream took from then on, else with all it has. One that
            exists goes on where it is.
    """
    config = api.ConsumerConfig(
        durable_name=spec.durable,
        ack_policy=api.AckPolicy.EXPLICIT,
        ack_wait=spec.ack_wait_seconds,
        # Never given up by the server: the runtime itself dead-letters what it was handed too often.
        max_deliver=-1,
        max_ack_pending=spec.max_ack_pending,
        filter_subjects=list(spec.subjects) or None,
        deliver_policy=api.DeliverPolicy.ALL,
    )
    try:
        existing = (await jetstream.consumer_info(spec.stream.name, spec.durable)).config
    except NotFoundError:
        if since is not None:
            config.deliver_policy = api.DeliverPolicy.BY_START_TIME
            config.opt_start_time = since
    else:
        # The server lets nobody change where a consumer began.
        config.deliver_policy, config.opt_start_time = existing.deliver_policy, existing.opt_start_time
    return await jetstream.add_consumer(spec.stream.name, config)


async def require_durable(jetstream: JetStreamContext, monitor_url: str | None) -> None:
    """Check that acknowledged means stored, whatever loses power.

    Three replicas of a stream, or a server that syncs always, keep what they acknowledged; asynchronous persistence
    does not.

    Args:
        jetstream: the JetStream interface.
        monitor_url: ``http://host:8222`` of the server; needed where streams have fewer than three replicas.

    Raises:
        ConfigError: an acknowledged event could be lost, with what to change.
    """
    single = False
    for spec in STREAMS:
        config = (await jetstream.stream_info(spec.name)).config
        if config.persist_mode is not None and config.persist_mode.value == "async":
            raise ConfigError(f"stream {spec.name} has persist_mode async and may lose events; recreate it without")
        if (config.max_bytes or -1) <= 0:
            raise ConfigError(f"stream {spec.name} has no limit of bytes; a full disk would stop the server")
        single = single or (config.num_replicas or 1) < _SAFE_REPLICAS
    if single:
        await _require_sync_always(monitor_url)


async def _require_sync_always(monitor_url: str | None) -> None:
    if monitor_url is None:
        raise ConfigError(
            "streams have fewer than three replicas, so the server must sync always: set SHEQUN_NATS_MONITOR_URL "
            "to its monitoring port, so that this can be checked"
        )
    try:
        async with httpx2.AsyncClient(timeout=2.0, trust_env=False) as client:
            config = (await client.get(f"{monitor_url}/jsz?config=true")).json().get("config", {})
    except (httpx2.HTTPError, ValueError) as error:
        raise TransientError(f"the monitoring port {monitor_url} does not answer: {error}") from error
    if not config.get("sync_always"):
        raise ConfigError(
            "nats-server may lose acknowledged events in a power cut: set `jetstream { sync_interval: always }`, "
            "or run a cluster with SHEQUN_NATS_REPLICAS=3"
        )
    if not config.get("store_dir"):
        raise ConfigError("nats-server has no explicit `store_dir`; its default is a temporary folder")
