"""The settings of moderation."""

from shequn.runtime.settings import RuntimeSettings


class ModerationSettings(RuntimeSettings):
    """What every process has; moderation's own choices stand in the communities' definitions."""
