"""Money on the dashboard is in major units, whatever digits the community's currency has."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.grafana import expression
from tests.support.promql import without_variables

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: install Debian's package prometheus"
)

DIGITS = pytest.mark.parametrize(("digits", "shown"), [(0, 12_500), (2, 125), (3, 12.5)])


def evaluate(folder: Path, title: str, samples: dict[str, float], digits: int) -> str:
    """Compare a panel with what it should show; two replicas and another community show figures too."""
    metrics = {
        'shequn_commerce_revenue_minor{product="bag", %s}': 12_500,
        'shequn_commerce_refunds_minor{product="bag", %s}': 12_500,
        "shequn_commerce_commissions_held_minor{%s}": 12_500,
        "shequn_commerce_currency_digits{%s}": digits,
    }
    series = [
        {"series": name % f'community="club", instance="{replica}"', "values": f"{value}x1"}
        for name, value in metrics.items()
        for replica in "ab"
    ]
    series.append({"series": 'shequn_commerce_currency_digits{community="other", instance="a"}', "values": "4x1"})
    case = {
        "expr": without_variables(expression("funnel", title)),
        "eval_time": "1m",
        "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
    }
    path = folder / "money.json"
    path.write_text(json.dumps({"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [case]}]}))
    answer = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    return "" if answer.returncode == 0 else answer.stdout + answer.stderr


@DIGITS
@pytest.mark.parametrize("title", ["Revenue", "Refunds", "Held commissions"])
def test_a_sum_has_the_digits_of_the_currency(tmp_path: Path, title: str, digits: int, shown: float) -> None:
    assert not evaluate(tmp_path, title, {"{}": shown}, digits)


@DIGITS
def test_revenue_by_product_has_the_digits_of_the_currency(tmp_path: Path, digits: int, shown: float) -> None:
    assert not evaluate(tmp_path, "Revenue by product", {'{product="bag"}': shown}, digits)
