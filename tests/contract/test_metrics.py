"""The metrics of all processes: named and labelled by the rules, and written down."""

import re

import pytest

from docs.reference import metrics
from docs.reference.metrics import LABELS, Metric
from docs.reference.processes import processes
from shequn.local.applications import MODULES

REGISTRIES = {name: service.registry for name, service in processes().items()}
SHOWN = metrics.by_process(REGISTRIES)
OURS = [metric for metric in SHOWN if not metric.foreign]
EVERY_METRIC = pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)


def test_every_process_of_the_stack_is_looked_at() -> None:
    assert set(REGISTRIES) == set(MODULES)


def test_the_committed_page_is_current() -> None:
    committed = metrics.PAGE.read_text(encoding="utf-8")
    assert committed == metrics.rendered(REGISTRIES), "run: python -m docs.reference"


@EVERY_METRIC
def test_a_name_is_ours_in_lower_case(metric: Metric) -> None:
    assert re.fullmatch(r"shequn(_[a-z][a-z0-9]*)+", metric.name)


@EVERY_METRIC
def test_only_counters_end_in_total(metric: Metric) -> None:
    assert metric.name.endswith("_total") == (metric.kind == "counter")


@EVERY_METRIC
def test_labels_come_from_closed_sets(metric: Metric) -> None:
    assert set(metric.labels) <= LABELS.keys(), "name the closed set in docs/reference/metrics.py"


@EVERY_METRIC
def test_the_help_text_says_something(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z1].{14,}[^.]", metric.text)


@EVERY_METRIC
def test_a_duration_or_an_amount_has_its_unit_in_the_name(metric: Metric) -> None:
    speaks_of = {"_minor": r"\bMoney\b|\bPrices\b|\bCommissions held\b", "_seconds": r"^(Real )?[Tt]ime "}
    for unit, words in speaks_of.items():
        if re.search(words, metric.text):
            assert metric.name.endswith(unit)


def test_a_name_means_the_same_everywhere() -> None:
    names = [metric.name for metric in SHOWN]
    assert sorted(set(names)) == sorted(names)


def test_no_label_is_explained_that_nobody_uses() -> None:
    used = {label for metric in OURS for label in metric.labels}
    assert used == LABELS.keys()


def test_no_created_series() -> None:
    """They double the series of every counter and histogram."""
    exposed = [
        sample.name for registry in REGISTRIES.values() for family in registry.collect() for sample in family.samples
    ]
    assert exposed
    assert not [name for name in exposed if name.endswith("_created")]
