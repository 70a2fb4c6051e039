"""The order of starting."""

import pytest

from shequn.local.errors import SpecError
from shequn.local.spec import ProcessSpec
from shequn.local.supervisor import start_levels


async def _ready() -> bool:
    return True


def process(name: str, *needs: str) -> ProcessSpec:
    return ProcessSpec(name=name, argv=("true",), ready=_ready, depends_on=needs)


class TestStartLevels:
    def test_put_needs_before_those_who_need_them(self) -> None:
        specs = [
            process("worker", "prefect", "nats"),
            process("prefect", "postgres"),
            process("postgres"),
            process("nats"),
        ]
        names = [[spec.name for spec in level] for level in start_levels(specs)]
        assert names == [["nats", "postgres"], ["prefect"], ["worker"]]

    def test_refuse_two_processes_of_one_name(self) -> None:
        with pytest.raises(SpecError, match="more than one process is named intake"):
            start_levels([process("intake"), process("intake")])

    def test_refuse_a_need_nobody_meets(self) -> None:
        with pytest.raises(SpecError, match="intake depends on nats, which is not among"):
            start_levels([process("intake", "nats")])

    def test_refuse_a_circle(self) -> None:
        with pytest.raises(SpecError, match="circle"):
            start_levels([process("a", "b"), process("b", "a")])
