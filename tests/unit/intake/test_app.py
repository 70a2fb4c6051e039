import json
from pathlib import Path
from typing import Any

import pytest

from services.intake.app import create_app
from services.intake.facts import OUTSIDE_FACTS
from services.intake.settings import IntakeSettings
from shequn.runtime.failures import ConfigError
from tests.unit.intake.builders import SECRET


def settings(folder: Path, **more: Any) -> IntakeSettings:
    return IntakeSettings(data_dir=folder, **more)


# Two folders emit the same events, and each of them says so.
def test_its_document_names_what_it_emits(tmp_path: Path) -> None:
    service, _ = create_app(settings(tmp_path))
    written = json.dumps(json.loads(service.asyncapi().to_json()))
    own = ["members.member.joined.v1", "members.member.updated.v1", "members.member.left.v1"]
    told = [*own, "outcomes.action.settled.v1", *(fact.TYPE for fact in OUTSIDE_FACTS)]
    assert [name for name in told if name not in written] == []


def test_an_adapter_that_is_not_there_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fancy"):
        create_app(settings(tmp_path, intake_channels={"web": {"adapter": "fancy", "secrets": [SECRET]}}))


def test_an_adapter_that_cannot_execute_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot execute"):
        create_app(settings(tmp_path, intake_outgoing={"web": {"adapter": "generic", "secrets": [SECRET]}}))
