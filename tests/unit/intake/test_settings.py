import pytest

from services.intake.settings import IntakeSettings
from shequn.runtime.failures import ConfigError
from shequn.runtime.settings import load_settings


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> IntakeSettings:
    for name, value in values.items():
        monkeypatch.setenv(f"SHEQUN_INTAKE_{name}", value)
    return load_settings(IntakeSettings)


def test_channels_come_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, CHANNELS='{"web": {"adapter": "generic", "secrets": ["a", "b"]}}')
    assert settings.intake_channels["web"].adapter_settings().keys() == {"secrets"}


def test_a_name_alone_is_an_outgoing_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, OUTGOING='{"telegram": "recording", "slack": {"adapter": "recording", "file": "s"}}')
    assert settings.intake_outgoing["telegram"].adapter == "recording"
    assert settings.intake_outgoing["slack"].adapter_settings() == {"file": "s"}


def test_nothing_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, CHANNELS="").intake_channels == {}


@pytest.mark.parametrize(
    "value",
    [
        '{"web": {"adapter": "generic", "secrets": ["sesame"]',
        "sesame",
        '["sesame"]',
        '{"web": {"adapter": "generic", "secrets": "sesame"}}',
        '{"web": {"adapter": "Sesame", "secrets": ["sesame"]}}',
        '{"web": {"adapter": "generic", "secrets": []}}',
        '{"web": "generic"}',
    ],
)
def test_a_mistake_is_named_and_its_secrets_are_not(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    with pytest.raises(ConfigError, match="SHEQUN_INTAKE_CHANNELS") as refused:
        load(monkeypatch, CHANNELS=value)
    assert "sesame" not in str(refused.value)
