"""``python -m services.intake``."""

from services.intake.app import create_app
from services.intake.settings import IntakeSettings
from shequn.runtime.process import run_service

if __name__ == "__main__":
    run_service(IntakeSettings, create_app)
