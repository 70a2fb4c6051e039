"""Runs moderation: ``python -m services.moderation``."""

from services.moderation.app import create_app
from services.moderation.settings import ModerationSettings
from shequn.runtime.process import run_service

if __name__ == "__main__":
    run_service(ModerationSettings, create_app)
