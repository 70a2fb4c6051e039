"""Settings of commerce."""

from shequn.runtime.settings import RuntimeSettings


class CommerceSettings(RuntimeSettings):
    """Read from the environment, with the prefix ``SHEQUN_``. Commerce needs no setting of its own."""
