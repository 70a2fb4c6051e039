"""Addresses of NATS servers."""

import pytest

from shequn.runtime.bus.address import server_urls, without_password
from shequn.runtime.failures import ConfigError


class TestServerUrls:
    @pytest.mark.parametrize(
        "url",
        [
            "nats://127.0.0.1:4222",
            "nats://nats",
            "tls://user:secret@nats.example.org:4222",
            "nats://token@10.0.0.1:4222",
            "nats://[::1]:4222",
            "wss://社群.example:443",
        ],
    )
    def test_takes_addresses(self, url: str) -> None:
        assert server_urls(url) == [url]

    def test_splits_several(self) -> None:
        assert server_urls("nats://a:1, nats://b:2") == ["nats://a:1", "nats://b:2"]

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "nonsense",
            "nats://nonsense url",
            "http://127.0.0.1:4222",
            "127.0.0.1:4222",
            "nats://",
            "nats://:4222",
            "nats://host:port",
            "nats://host:99999",
            "nats://[::1",
            "nats://a:1,,nats://b:2",
        ],
    )
    def test_refuses_nonsense_and_names_setting_and_form(self, url: str) -> None:
        with pytest.raises(ConfigError, match=r"SHEQUN_NATS_URL is wrong: .* write nats://host:port"):
            server_urls(url)

    @pytest.mark.parametrize("url", ["nats://user:sec/ret@host:4222", "user:secret@host", "nats://user:sec ret@host:x"])
    def test_says_nothing_of_the_password(self, url: str) -> None:
        with pytest.raises(ConfigError) as caught:
            server_urls(url)
        assert "sec" not in str(caught.value)
        assert "host" in str(caught.value)


class TestWithoutPassword:
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("nats://user:p@ss//word@host:4222", "nats://host:4222"),
            ("nats://token@host", "nats://host"),
            ("nats://host:4222", "nats://host:4222"),
            ("user:password@host", "host"),
        ],
    )
    def test_shows_where(self, url: str, shown: str) -> None:
        assert without_password(url) == shown
