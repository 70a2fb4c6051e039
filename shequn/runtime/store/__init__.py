"""The store: PostgreSQL, one schema and one migration history per service."""

from shequn.runtime.store.engine import Store

__all__ = ["Store"]
