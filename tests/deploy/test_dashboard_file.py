"""The dashboards as data: whole, legible, and about metrics that exist."""

import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest
import yaml

from deploy.grafana import funnel
from deploy.grafana.files import DASHBOARDS, FOLDER, rendered
from shequn.definitions import load_folder
from tests.support.grafana import PanelQuery, dashboard, panels, queries, variable_queries
from tests.support.promql import known_metrics, metrics_in

ROOT = Path(__file__).parents[2]
EVERY_QUERY = pytest.mark.parametrize("query", [query for name in DASHBOARDS for query in queries(name)], ids=str)
EVERY_DASHBOARD = pytest.mark.parametrize("name", DASHBOARDS)


@pytest.fixture(scope="module")
def known() -> set[str]:
    return known_metrics()


@EVERY_DASHBOARD
def test_the_committed_file_is_current(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text(encoding="utf-8") == rendered(name), "run: python -m deploy.grafana"


def test_there_is_no_file_that_nobody_writes() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(DASHBOARDS)


@EVERY_QUERY
def test_a_query_reads_metrics_that_exist(query: PanelQuery, known: set[str]) -> None:
    assert metrics_in(query.expr)
    assert metrics_in(query.expr) <= known


@EVERY_QUERY
def test_money_is_divided_by_what_its_currency_has(query: PanelQuery) -> None:
    is_money = any(name.endswith("_minor") for name in metrics_in(query.expr))
    assert ("shequn_commerce_currency_digits" in metrics_in(query.expr)) == is_money


@EVERY_DASHBOARD
def test_variables_are_filled_from_metrics_that_exist(name: str, known: set[str]) -> None:
    for selector, _ in variable_queries(name):
        assert metrics_in(selector) <= known


@EVERY_QUERY
def test_a_query_uses_only_variables_of_its_dashboard(query: PanelQuery) -> None:
    assert set(re.findall(r"\$(\w+)", query.expr)) <= {"community", "funnel", "__rate_interval"}


@EVERY_DASHBOARD
def test_titles_are_bilingual(name: str) -> None:
    titles = [dashboard(name)["title"], *(panel["title"] for panel in dashboard(name)["panels"])]
    for title in titles:
        chinese, slash, english = title.partition(" / ")
        assert slash
        assert re.search(r"[\u4e00-\u9fff]", chinese), title
        assert re.fullmatch(r"[\x20-\x7e]+", english), title


@EVERY_DASHBOARD
def test_every_panel_says_what_it_shows(name: str) -> None:
    assert [panel["title"] for panel in panels(name) if not panel["description"].strip()] == []


@EVERY_DASHBOARD
def test_panels_have_numbers_of_their_own(name: str) -> None:
    numbers = [panel["id"] for panel in dashboard(name)["panels"]]
    assert sorted(set(numbers)) == sorted(numbers)


@EVERY_DASHBOARD
def test_no_panel_lies_on_another(name: str) -> None:
    def cells(panel: dict[str, dict[str, int]]) -> set[tuple[int, int]]:
        place = panel["gridPos"]
        across = range(place["x"], place["x"] + place["w"])
        return {(x, y) for x in across for y in range(place["y"], place["y"] + place["h"])}

    for one, other in combinations(dashboard(name)["panels"], 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])


@EVERY_DASHBOARD
def test_panels_stay_within_the_width(name: str) -> None:
    for panel in dashboard(name)["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


@pytest.mark.parametrize(("name", "stages"), [("growth", funnel.GROWTH), ("shop-loop", funnel.SHOP_LOOP)])
def test_conversions_follow_the_stages_of_the_ready_funnels(name: str, stages: tuple[str, ...]) -> None:
    funnels = load_folder(ROOT / "samples" / "reading-club").definition.funnels
    defined = next(item for item in funnels if item.funnel == name)
    assert list(pairwise(stages)) == list(pairwise(stage.id for stage in defined.stages))


def test_panels_ask_the_data_source_that_is_provisioned() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    asked = {panel["datasource"]["uid"] for name in DASHBOARDS for panel in panels(name)}
    assert asked == {source["uid"] for source in sources}


def test_the_interval_of_rates_is_that_of_the_scrapes() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    scrapes = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yaml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scrapes["scrape_interval"]
