"""The channels that webhooks come through."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.intake.settings import ChannelChoice
from shequn.adapters import AdapterEnvironment, AdapterRegistry, Receives
from shequn.adapters.errors import AdapterBrokenError
from shequn.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel and the adapter that reads it. ``community``: the one it is set up for, where it is."""

    name: str
    receiver: Receives
    community: str | None = None


def make_channels(
    registry: AdapterRegistry, choices: Mapping[str, ChannelChoice], data_dir: Path, clock: Clock
) -> dict[str, Channel]:
    """Make the channels of the settings.

    Raises:
        ConfigError: an adapter does not exist, cannot receive, or its settings are wrong.
    """
    channels = {}
    for name, choice in choices.items():
        adapter = registry.make(choice.adapter, choice.adapter_settings(), AdapterEnvironment(name, data_dir, clock))
        if not isinstance(adapter, Receives):
            raise AdapterBrokenError(choice.adapter, f"it cannot receive, as channel {name!r} asks of it")
        channels[name] = Channel(name, adapter, getattr(adapter.settings, "community", None))
    return channels
