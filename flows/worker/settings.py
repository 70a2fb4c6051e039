"""Settings of the worker."""

from pydantic import Field

from shequn.runtime.settings import RuntimeSettings


class WorkerSettings(RuntimeSettings):
    """Read from the environment, with the prefix ``SHEQUN_``; ``PREFECT_API_URL`` has none.

    Attributes:
        prefect_api_url: Prefect's API. Without it waves run without Prefect, and there are no reports.
        wave_chunk: how many due enrollments one transaction and one task advance.
        wave_chunks_at_once: how many chunks run side by side.
        wave_rest_seconds: the least time between two waves, in real seconds.
        wave_poll_seconds: how often to look for due enrollments while none is known, in real seconds.
        prefect_poll_seconds: how often to ask Prefect for runs that people or schedules started, in real seconds.
        prefect_keep_hours: how long ended runs of waves stay visible; each takes about 17 kB.
        report_cron: when the daily report runs.
        report_timezone: the zone of ``report_cron``; also the day it is for.
    """

    prefect_api_url: str | None = Field(default=None, validation_alias="PREFECT_API_URL")
    wave_chunk: int = Field(default=5_000, ge=1, le=50_000)
    wave_chunks_at_once: int = Field(default=2, ge=1, le=8)
    wave_rest_seconds: float = Field(default=0.5, ge=0)
    wave_poll_seconds: float = Field(default=0.5, gt=0)
    prefect_poll_seconds: float = Field(default=2.0, gt=0)
    prefect_keep_hours: float = Field(default=6.0, gt=0)
    report_cron: str = "0 8 * * *"
    report_timezone: str = "Asia/Shanghai"
