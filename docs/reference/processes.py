"""All our processes, put together as they run, connected to nothing."""

from collections.abc import Mapping
from functools import cache

from flows.consumer.app import create_app as consumer
from flows.consumer.settings import ConsumerSettings
from flows.worker.app import create_app as worker
from flows.worker.settings import WorkerSettings
from services.commerce.app import create_app as commerce
from services.commerce.settings import CommerceSettings
from services.engagement.app import create_app as engagement
from services.engagement.settings import EngagementSettings
from services.intake.app import create_app as intake
from services.intake.settings import IntakeSettings
from services.moderation.app import create_app as moderation
from services.moderation.settings import ModerationSettings
from shequn.runtime.service import Service

# A prefix that nobody uses: the pages are the same whatever the environment holds.
_NO_ENVIRONMENT = "SHEQUN_REFERENCE_PAGES_"


@cache
def processes() -> Mapping[str, Service]:
    """Make every process, by name, with the settings it has by default. The worker is the one without Prefect."""
    built = {
        "intake": intake(IntakeSettings(_env_prefix=_NO_ENVIRONMENT)),
        "moderation": moderation(ModerationSettings(_env_prefix=_NO_ENVIRONMENT)),
        "engagement": engagement(EngagementSettings(_env_prefix=_NO_ENVIRONMENT)),
        "commerce": commerce(CommerceSettings(_env_prefix=_NO_ENVIRONMENT)),
        "consumer": consumer(ConsumerSettings(_env_prefix=_NO_ENVIRONMENT)),
        "worker": worker(WorkerSettings(_env_prefix=_NO_ENVIRONMENT, PREFECT_API_URL=None)),
    }
    return {name: service for name, (service, _) in built.items()}
