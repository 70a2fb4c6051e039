"""What each process takes from the bus and gives to it is written down, and the documents say all of it."""

import json

import pytest

from docs.reference import asyncapi
from docs.reference.processes import processes
from shequn.contracts.registry import EVENTS
from shequn.contracts.subjects import CONSUMERS
from shequn.runtime.service import Service

PROCESSES = processes()
TYPES = {event.TYPE for event in EVENTS}
EVERY_PROCESS = pytest.mark.parametrize("service", PROCESSES.values(), ids=PROCESSES.keys())


@pytest.mark.parametrize("name", PROCESSES)
def test_the_committed_document_is_current(name: str) -> None:
    committed = (asyncapi.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert committed == asyncapi.rendered(PROCESSES[name]), "run: python -m docs.reference"


def test_there_is_a_document_for_each_process_alone() -> None:
    assert {path.stem for path in asyncapi.FOLDER.glob("*.json")} == set(PROCESSES)


@EVERY_PROCESS
def test_a_process_sends_only_events_of_the_contracts(service: Service) -> None:
    assert sent(service) <= TYPES


def test_every_durable_consumer_is_read_by_one_process() -> None:
    titles = [
        name.partition(":")[0]
        for service in PROCESSES.values()
        for name, operation in document(service)["operations"].items()
        if operation["action"] == "receive"
    ]
    for consumer in CONSUMERS:
        assert {title for title in titles if title.startswith(consumer.durable)}, consumer.durable


def test_every_event_of_the_contracts_is_sent_by_somebody() -> None:
    sent_by_services = {event for service in PROCESSES.values() for event in sent(service)}
    assert TYPES - sent_by_services == {"definitions.community.applied.v1"}  # the command line sends it


def document(service: Service) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = json.loads(service.asyncapi().to_json())
    return found


def sent(service: Service) -> set[str]:
    content = document(service)
    return {
        operation["channel"]["$ref"].rpartition("/")[2]  # type: ignore[index]
        for operation in content["operations"].values()
        if operation["action"] == "send"
    }
