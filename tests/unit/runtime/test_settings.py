import pytest

from shequn.runtime.failures import ConfigError
from shequn.runtime.settings import RuntimeSettings


class TestRuntimeSettings:
    def test_a_wrong_value_names_the_variable_and_not_its_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHEQUN_HTTP_PORT", "secret-looking")
        with pytest.raises(ConfigError, match="SHEQUN_HTTP_PORT") as raised:
            RuntimeSettings.load()
        assert "secret-looking" not in str(raised.value)

    def test_every_wrong_variable_is_named_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHEQUN_HTTP_PORT", "99999")
        monkeypatch.setenv("SHEQUN_LOG_LEVEL", "loud")
        with pytest.raises(ConfigError, match=r"SHEQUN_HTTP_PORT.*SHEQUN_LOG_LEVEL"):
            RuntimeSettings.load()
