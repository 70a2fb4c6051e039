"""Fold: how every service processes events.

A service declares its tables and a pure ``fold`` per event. The runtime pulls a micro-batch, drops what the inbox
has, loads the touched states under lock, folds in stream order, and writes states, inbox and outbox in one
transaction; then it acknowledges and publishes. So each event has its effects exactly once, whatever is killed when.
"""

from shequn.runtime.fold.tables import CounterTable, Key, LogTable, StateTable
from shequn.runtime.fold.workspace import FoldContext, Workspace

__all__ = ["CounterTable", "FoldContext", "Key", "LogTable", "StateTable", "Workspace"]
