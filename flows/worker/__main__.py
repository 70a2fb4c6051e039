"""Runs the worker: ``python -m flows.worker``."""

import os

# Prefect reads these when it is imported: no usage data leaves the machine, and no hidden second server is started.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")

from flows.worker.app import create_app
from flows.worker.settings import WorkerSettings
from shequn.runtime.process import run_service

if __name__ == "__main__":
    run_service(WorkerSettings, create_app)
