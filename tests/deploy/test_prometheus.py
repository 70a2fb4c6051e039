"""Prometheus' own files: its scrape configuration and the rules, tested by promtool."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shequn.local.applications import MODULES
from shequn.local.scraping import scrape_config
from tests.support.promql import known_metrics, metrics_in

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yaml"))
RULE_TESTS = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
RULES: list[dict[str, Any]] = [
    rule for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: install Debian's package prometheus"
)


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


class TestScrapes:
    def test_every_process_is_read(self) -> None:
        addresses = {name: f"{name}:8080" for name in MODULES}
        expected = yaml.safe_load(scrape_config(addresses, rules=["rules/*.yaml"]))
        assert yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text()) == expected

    @needs_promtool
    def test_prometheus_accepts_the_file(self) -> None:
        answer = promtool("check", "config", PROMETHEUS / "prometheus.yaml")
        assert answer.returncode == 0, answer.stdout + answer.stderr

    @needs_promtool
    def test_prometheus_accepts_one_for_a_local_stack(self, tmp_path: Path) -> None:
        config = tmp_path / "prometheus.json"
        rules = [str(path) for path in RULE_FILES]
        config.write_text(scrape_config({"intake": "http://127.0.0.1:12345"}, seconds=1, rules=rules))
        answer = promtool("check", "config", config)
        assert answer.returncode == 0, answer.stdout + answer.stderr


class TestRules:
    @needs_promtool
    @pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
    def test_they_do_what_their_tests_say(self, path: Path) -> None:
        answer = promtool("test", "rules", path)
        assert answer.returncode == 0, answer.stdout + answer.stderr

    def test_every_alert_is_tested_in_both_directions(self) -> None:
        cases: dict[str, set[bool]] = {}
        for path in RULE_TESTS:
            for test in yaml.safe_load(path.read_text())["tests"]:
                for case in test.get("alert_rule_test", ()):
                    cases.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
        assert cases == {rule["alert"]: {True, False} for rule in ALERTS}

    def test_they_read_metrics_that_exist(self) -> None:
        known = known_metrics() | {rule["record"] for rule in RULES if "record" in rule}
        for rule in RULES:
            assert metrics_in(rule["expr"]) <= known, rule

    @pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
    def test_an_alert_says_how_bad_it_is_and_what_to_do(self, rule: dict[str, Any]) -> None:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "description"}
