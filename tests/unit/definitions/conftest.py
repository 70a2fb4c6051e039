"""A small sound community; tests change one thing and look what is said about it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from shequn.definitions import DefinitionError, LoadResult, Notice, Problem, load_folder

SOUND: Mapping[str, str] = {
    "community.yaml": """\
community: tea
name: {zh: 茶友会, en: Tea friends}
timezone: Asia/Shanghai
currency: CNY
languages: [zh, en]
interest: {tags: [tea], purpose: [growth, sell-goods]}
goal: {metric: visits, unit: visits, target: 30, every: week}
groups:
  - {id: hall, kind: free, platform: replay, chat: hall, entry: {all: [{invite: any_member}]}, rules: open}
rules:
  open:
    notice: {zh: [聊茶], en: [Talk tea]}
    forbid: [bare-link, ads]
words: {ads: [加微信, buy now]}
""",
    "products.yaml": """\
products:
  - {id: taste, kind: goods, rung: free, price: 0}
  - {id: bag, kind: goods, rung: low, price: 9.90}
  - {id: box, kind: goods, rung: middle, price: 300, requires: {bought: bag}}
""",
    "referral.yaml": """\
referral:
  commission: {on: [bag], rate: 20%}
""",
    "funnels/growth.yaml": """\
funnel: growth
enter: member.joined
stages:
  - {id: free, name: {zh: 免费, en: Free}}
steps:
  - {id: hello, stage: free, send: welcome}
  - wait: 2d
  - {id: bag, offer: bag, expires: 2d}
  - wait: {until: order.paid bag, at_most: 2d, timeout: end}
  - {id: end, exit: done}
""",
    "messages/welcome.yaml": """\
zh: 你好
en: Hello
""",
}


class Workshop:
    """A community folder that a test may change before it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in SOUND.items():
            self.write(name, text)

    def write(self, name: str, text: str | bytes) -> "Workshop":
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    def replace(self, name: str, old: str, new: str) -> "Workshop":
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        return self.write(name, text.replace(old, new))

    def append(self, name: str, text: str) -> "Workshop":
        return self.write(name, (self.path / name).read_text(encoding="utf-8") + text)

    def remove(self, name: str) -> "Workshop":
        (self.path / name).unlink()
        return self

    def steps(self, text: str) -> "Workshop":
        """Replace the steps; the first one stands on line 6."""
        funnel = SOUND["funnels/growth.yaml"]
        return self.write("funnels/growth.yaml", funnel[: funnel.index("steps:")] + "steps:\n" + text)

    def load(self) -> LoadResult:
        return load_folder(self.path)

    def problems(self) -> tuple[Problem, ...]:
        with pytest.raises(DefinitionError) as caught:
            load_folder(self.path)
        return caught.value.problems

    def problem(self) -> Problem:
        """The only problem."""
        problems = self.problems()
        assert len(problems) == 1, "\n".join(map(str, problems))
        return problems[0]

    def notices(self) -> tuple[Notice, ...]:
        return self.load().notices


@pytest.fixture
def folder(tmp_path: Path) -> Workshop:
    """A sound community folder."""
    return Workshop(tmp_path / "tea")


@pytest.fixture
def workshop() -> Callable[[Path], Workshop]:
    """Makes sound community folders at given places."""
    return Workshop
