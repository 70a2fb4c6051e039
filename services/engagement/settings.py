"""Settings of engagement."""

from pydantic import Field

from shequn.runtime.settings import RuntimeSettings


class EngagementSettings(RuntimeSettings):
    """Read from the environment, with the prefix ``SHEQUN_``.

    Attributes:
        tier_sweep_seconds: how often ended tiers are looked for, in seconds of the system's clock.
        tier_sweep_chunk: how many members one transaction brings up to date.
    """

    tier_sweep_seconds: float = Field(default=60.0, gt=0)
    tier_sweep_chunk: int = Field(default=5_000, ge=1)
