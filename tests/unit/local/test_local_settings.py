"""Settings of the stack from the environment."""

from pathlib import Path

import pytest

from shequn.local.settings import LocalSettings, port_setting
from shequn.runtime.failures import ConfigError
from shequn.runtime.settings import load_settings


class TestLocalSettings:
    def test_reads_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHEQUN_DATA_DIR", "/somewhere")
        monkeypatch.setenv("SHEQUN_NATS_URL", "nats://bus:4222")
        monkeypatch.setenv(port_setting("prefect"), "4200")
        settings = LocalSettings()
        assert settings.data_dir == Path("/somewhere")
        assert settings.nats_url == "nats://bus:4222"
        assert settings.ports == {"prefect": 4200}

    def test_prefers_what_the_caller_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHEQUN_NATS_URL", "nats://bus:4222")
        assert LocalSettings(nats_url=None).nats_url is None


def test_a_wrong_port_is_named_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHEQUN_PORTS__INTAKE", "abc")
    with pytest.raises(ConfigError, match="SHEQUN_PORTS__INTAKE"):
        load_settings(LocalSettings)
