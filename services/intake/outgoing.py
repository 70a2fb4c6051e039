"""The adapters that actions go out through."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.intake.settings import AdapterChoice
from shequn.adapters import Adapter, AdapterEnvironment, AdapterRegistry, Executes, Health
from shequn.adapters.errors import AdapterBrokenError
from shequn.runtime.clock import Clock

FALLBACK = "recording"


class OutgoingAdapters:
    """Knows which adapter executes actions on a platform.

    Adapters are one per choice: platforms that name the same adapter with the same settings share one.
    """

    def __init__(
        self, registry: AdapterRegistry, choices: Mapping[str, AdapterChoice], data_dir: Path, clock: Clock
    ) -> None:
        """Make the adapters; nothing connects yet.

        Raises:
            AdapterRegistryError: one does not exist, its settings are wrong, or it cannot execute actions.
        """
        fallback = AdapterChoice(adapter=FALLBACK)
        self._adapters: dict[tuple[str, str], Adapter[Any]] = {}
        self._by_platform: dict[str, Adapter[Any]] = {}
        for platform, choice in choices.items():
            self._by_platform[platform] = self._make(registry, choice, AdapterEnvironment(platform, data_dir, clock))
        self._fallback = self._make(registry, fallback, AdapterEnvironment(FALLBACK, data_dir, clock))

    def for_platform(self, platform: str) -> Adapter[Any]:
        """Give the adapter of a platform."""
        return self._by_platform.get(platform, self._fallback)

    async def open(self) -> None:
        """Open all adapters. Called again, it closes them first.

        Raises:
            ConfigError: one cannot work as it is set up.
            TransientError: its platform is away.
        """
        await self.close()
        for adapter in self._adapters.values():
            await adapter.open()

    async def close(self) -> None:
        """Close all adapters."""
        for adapter in self._adapters.values():
            await adapter.close()

    async def health(self) -> dict[str, Health]:
        """Ask all adapters how they are, by name."""
        return {adapter.manifest.name: await adapter.health() for adapter in self._adapters.values()}

    def _make(self, registry: AdapterRegistry, choice: AdapterChoice, environment: AdapterEnvironment) -> Adapter[Any]:
        settings = choice.adapter_settings()
        key = (choice.adapter, repr(sorted(settings.items())))
        if key not in self._adapters:
            adapter = registry.make(choice.adapter, settings, environment)
            if not isinstance(adapter, Executes):
                raise AdapterBrokenError(choice.adapter, "it cannot execute actions; choose another one")
            self._adapters[key] = adapter
        return self._adapters[key]
