"""The AsyncAPI documents: what each process takes from the bus and gives to it."""

import json
from pathlib import Path

from shequn.runtime.service import Service

FOLDER = Path(__file__).parent / "asyncapi"


def rendered(service: Service) -> str:
    """Write a process's document, its keys in order, so that a change is a small difference."""
    return json.dumps(json.loads(service.asyncapi().to_json()), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
