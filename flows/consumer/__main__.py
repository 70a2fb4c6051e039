"""Runs the consumer: ``python -m flows.consumer``."""

from flows.consumer.app import create_app
from flows.consumer.settings import ConsumerSettings
from shequn.runtime.process import run_service

if __name__ == "__main__":
    run_service(ConsumerSettings, create_app)
