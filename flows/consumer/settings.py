"""Settings of the consumer."""

from shequn.runtime.settings import RuntimeSettings


class ConsumerSettings(RuntimeSettings):
    """Read from the environment, with the prefix ``SHEQUN_``."""
