"""The contracts of the bus: committed, current, and never broken."""

import pytest

from shequn.contracts import snapshots
from shequn.contracts.registry import EVENTS
from shequn.contracts.subjects import CONSUMERS, STREAMS, stream_of


@pytest.mark.parametrize("name", sorted(snapshots.MODELS))
def test_the_committed_schema_is_current(name: str) -> None:
    path = snapshots.FOLDER / f"{name}.json"
    assert path.read_text(encoding="utf-8") == snapshots.rendered(name), "run: python -m shequn.contracts"


def test_no_change_breaks_a_reader() -> None:
    assert snapshots.breaks() == {}


@pytest.mark.parametrize("event", EVENTS)
def test_every_type_is_domain_entity_verb_version(event: type) -> None:
    domain, entity, verb, version = event.TYPE.split(".")  # type: ignore[attr-defined]
    assert domain
    assert entity
    assert verb
    assert version.startswith("v")


@pytest.mark.parametrize("event", EVENTS)
def test_every_type_has_a_stream(event: type) -> None:
    assert stream_of(event.TYPE) in STREAMS  # type: ignore[attr-defined]


def test_consumers_want_only_subjects_of_their_stream() -> None:
    for consumer in CONSUMERS:
        for subject in consumer.subjects:
            assert stream_of(subject) is consumer.stream


def test_durable_names_are_unique() -> None:
    names = [consumer.durable for consumer in CONSUMERS]
    assert len(names) == len(set(names))
