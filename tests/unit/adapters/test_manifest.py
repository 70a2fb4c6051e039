from datetime import timedelta

import pytest

from shequn.adapters import AdapterManifest, AdapterSettings, Label, Quota, ReplyWindow
from shequn.adapters.manifest import field_labels
from shequn.contracts.actions import SendMessage
from shequn.contracts.chat import MessagePosted
from tests.unit.adapters.plugins import PlainSettings

TITLE = Label(zh="名", en="Name")
HOUR = timedelta(hours=1)


class Unlabelled(AdapterSettings):
    token: str


def test_labels_stand_at_the_fields() -> None:
    assert field_labels(PlainSettings)["token"] == Label(zh="令牌", en="Token")


def test_every_setting_needs_a_label() -> None:
    with pytest.raises(ValueError, match="token"):
        AdapterManifest(name="x", title=TITLE, settings=Unlabelled)


@pytest.mark.parametrize("name", ["", "Telegram", "a b", "x" * 65])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="adapter name"):
        AdapterManifest(name=name, title=TITLE, settings=AdapterSettings)


def test_a_reply_window_opens_after_an_event_of_its_own() -> None:
    window = ReplyWindow(MessagePosted, HOUR)
    with pytest.raises(ValueError, match="never emitted"):
        AdapterManifest(name="x", title=TITLE, settings=AdapterSettings, reply_windows=(window,))


def test_a_quota_limits_an_action_of_its_own() -> None:
    quota = Quota(SendMessage, 20, HOUR)
    with pytest.raises(ValueError, match="cannot execute"):
        AdapterManifest(name="x", title=TITLE, settings=AdapterSettings, quotas=(quota,))
