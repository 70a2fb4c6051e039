"""Reads PromQL: which metrics an expression uses."""

from typing import Any

import promql_parser

from docs.reference.metrics import by_process
from docs.reference.processes import processes

FROM_PROMETHEUS = frozenset({"up"})


def metrics_in(expr: str) -> set[str]:
    """Name the metrics that an expression reads.

    Raises:
        ValueError: it is no PromQL.
    """
    names: set[str] = set()

    def note(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            names.add(node.name)

    promql_parser.walk(promql_parser.parse(without_variables(expr)), note)
    return names


def known_metrics() -> set[str]:
    """Name the samples that our processes show."""
    shown = by_process({name: service.registry for name, service in processes().items()})
    return {sample for metric in shown for sample in metric.samples} | FROM_PROMETHEUS


def without_variables(expr: str, community: str = "club", funnel: str = ".*", interval: str = "1m") -> str:
    """Put values in the place of Grafana's variables."""
    values = {"$__rate_interval": interval, "$community": community, "$funnel": funnel}
    for variable, value in values.items():
        expr = expr.replace(variable, value)
    return expr
