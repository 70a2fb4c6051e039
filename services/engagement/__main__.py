"""``python -m services.engagement``."""

from services.engagement.app import create_app
from services.engagement.settings import EngagementSettings
from shequn.runtime.process import run_service

if __name__ == "__main__":
    run_service(EngagementSettings, create_app)
