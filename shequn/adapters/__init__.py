"""The adapter SDK: how a platform is connected, by us and by others."""

from shequn.adapters.base import (
    Adapter,
    AdapterEnvironment,
    AddressedAction,
    Executes,
    ExecutesBatches,
    Health,
    Outcome,
    Publish,
    RawRequest,
    ReceiveContext,
    Receives,
    Runs,
)
from shequn.adapters.manifest import AdapterManifest, AdapterSettings, IdKind, Label, Quota, ReplyWindow
from shequn.adapters.registry import AdapterRegistry
from shequn.adapters.times import AHEAD, EARLIEST, require_time

__all__ = [
    "AHEAD",
    "EARLIEST",
    "Adapter",
    "AdapterEnvironment",
    "AdapterManifest",
    "AdapterRegistry",
    "AdapterSettings",
    "AddressedAction",
    "Executes",
    "ExecutesBatches",
    "Health",
    "IdKind",
    "Label",
    "Outcome",
    "Publish",
    "Quota",
    "RawRequest",
    "ReceiveContext",
    "Receives",
    "ReplyWindow",
    "Runs",
    "require_time",
]
