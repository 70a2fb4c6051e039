"""``python -m services.commerce``."""

from services.commerce.app import create_app
from services.commerce.settings import CommerceSettings
from shequn.runtime.process import run_service

if __name__ == "__main__":
    run_service(CommerceSettings, create_app)
