"""The configuration with which Prometheus watches a stack."""

import json
from collections.abc import Mapping, Sequence

JOB = "shequn"


def scrape_config(addresses: Mapping[str, str], *, seconds: int = 15, rules: Sequence[str] = ()) -> str:
    """Write a configuration file of Prometheus, in JSON, which is YAML.

    Args:
        addresses: ``host:port`` or ``http://host:port`` of every process, by its name.
        seconds: how often metrics are read and rules evaluated.
        rules: files of rules; may hold ``*``.
    """
    interval = f"{seconds}s"
    targets = [
        {"targets": [address.removeprefix("http://")], "labels": {"service": name}}
        for name, address in addresses.items()
    ]
    config = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": list(rules),
        "scrape_configs": [{"job_name": JOB, "static_configs": targets}],
    }
    return json.dumps(config, indent=2) + "\n"
