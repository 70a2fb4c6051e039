"""Finds adapters: by entry points (group ``shequn.adapters``), so that any package can offer one."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from shequn.adapters.base import Adapter, AdapterEnvironment
from shequn.adapters.errors import AdapterBrokenError, AdapterDuplicateError, AdapterMissingError
from shequn.adapters.manifest import AdapterManifest

GROUP = "shequn.adapters"


class AdapterRegistry:
    """The adapters there are. Their modules are loaded when they are asked for, not before."""

    def __init__(
        self,
        builtin: Mapping[str, str] = MappingProxyType({}),
        installed: Iterable[EntryPoint] | None = None,
    ) -> None:
        """Look around.

        Args:
            builtin: adapters that are there also where the project runs without being installed: name to
                ``module:Class``.
            installed: entry points to use instead of those of the installed packages.

        Raises:
            AdapterDuplicateError: two packages offer different adapters under one name.
        """
        offers: dict[str, set[str]] = {name: {target} for name, target in builtin.items()}
        for point in entry_points(group=GROUP) if installed is None else installed:
            offers.setdefault(point.name, set()).add(point.value.replace(" ", ""))
        for name, targets in offers.items():
            if len(targets) > 1:
                raise AdapterDuplicateError(name, targets)
        self._targets = {name: next(iter(targets)) for name, targets in offers.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all adapters."""
        return tuple(sorted(self._targets))

    def load(self, name: str) -> type[Adapter[Any]]:
        """Load an adapter's class.

        Raises:
            AdapterMissingError: no package offers it.
            AdapterBrokenError: its module cannot be loaded, or holds no adapter of that name.
        """
        target = self._targets.get(name)
        if target is None:
            raise AdapterMissingError(name, self._targets)
        module_name, _, class_name = target.partition(":")
        try:
            found: Any = getattr(import_module(module_name), class_name)
        except Exception as error:  # whatever a foreign module raises on import, the operator has to know which it is
            raise AdapterBrokenError(name, f"{target} does not load: {type(error).__name__}: {error}") from error
        if not (isinstance(found, type) and issubclass(found, Adapter)):
            raise AdapterBrokenError(name, f"{target} is no subclass of shequn.adapters.Adapter")
        manifest = getattr(found, "manifest", None)
        if not isinstance(manifest, AdapterManifest) or manifest.name != name:
            raise AdapterBrokenError(name, f"{target} has no manifest with that name")
        return found

    def make(self, name: str, settings: Mapping[str, Any], environment: AdapterEnvironment) -> Adapter[Any]:
        """Make an adapter from settings as an operator wrote them.

        Raises:
            AdapterMissingError, AdapterBrokenError: there is no such adapter.
            AdapterBrokenError: a setting is wrong; the message names it, never its value.
        """
        adapter = self.load(name)
        try:
            values = adapter.manifest.settings.model_validate(dict(settings))
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=False)
            wrong = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
            # Not chained: the cause's own message would show the values.
            raise AdapterBrokenError(name, f"settings of {environment.name!r}: {wrong}") from None
        return adapter(values, environment)
