"""Reads values of a configuration file of nats-server."""

import re

_UNITS = {"KB": 2**10, "MB": 2**20, "GB": 2**30}


def value_of(config: str, name: str) -> str:
    """The value of a setting, wherever it stands; without quotes."""
    found = re.search(rf"(?m)^\s*{name}: *\"?([^\"\s]+)\"?\s*$", config)
    assert found, f"no {name} in the configuration"
    return found[1]


def size_in_bytes(text: str) -> int:
    """A size as nats-server reads it: 20GB is 20 · 2³⁰ bytes."""
    found = re.fullmatch(r"(\d+)([KMG]B)", text)
    assert found, text
    return int(found[1]) * _UNITS[found[2]]
