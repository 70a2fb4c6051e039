"""Hints for people who mistyped a name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from babel.core import get_global

_LISTED = 12
"""How many names a hint lists when none is close: more than fits a line helps nobody."""

_CLOSE = 0.6
_CLOSE_CODE = 0.75
"""Codes of three letters resemble each other by chance: a letter too many or too few is a slip, another one is not."""

_CURRENCY_NAMES: Mapping[str, str] = MappingProxyType(
    {
        name: code
        for code, names in {
            "CNY": "yuan renminbi rmb kuai 元 人民币 人民币元 块 圆 ¥ ￥",
            "USD": "dollar buck us$ $ 美元 美金",
            "EUR": "euro € 欧元",
            "GBP": "pound sterling quid £ 英镑",
            "JPY": "yen 日元 日圆 円",
            "HKD": "hk$ 港元 港币 港幣",
            "TWD": "ntd nt$ 台币 新台币 新臺幣",
            "MOP": "pataca 澳门元 葡币",
            "SGD": "s$ 新加坡元 新币 坡币",
            "KRW": "won 韩元 韩币",
            "INR": "rupee 印度卢比",
            "RUB": "rouble ruble 卢布",
            "MYR": "ringgit 令吉 马币",
            "THB": "baht 泰铢",
            "VND": "dong 越南盾",
            "IDR": "rupiah 印尼盾",
            "CHF": "franc 瑞士法郎",
            "AUD": "a$ 澳元",
            "CAD": "c$ 加元",
        }.items()
        for name in names.split()
    }
)
"""What people call a currency, in lower case and singular. Names of several currencies stand for the one used most."""


def closest(written: str, known: Iterable[str], cutoff: float = _CLOSE) -> str | None:
    """Give the known word that is closest to what was written; none when none is close."""
    lowered = {name.lower(): name for name in sorted(set(known))}
    close = get_close_matches(written.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[close[0]] if close else None


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """Name the known word that is closest to what was written, or list the known words when none is close."""
    names = sorted(set(known))
    close = closest(written, names)
    if close is not None:
        return f"did you mean {close!r}?"
    if not names:
        return ""
    listed = ", ".join(names[:_LISTED])
    return f"known: {listed}, …" if len(names) > _LISTED else f"known: {listed}"


@cache
def currencies() -> frozenset[str]:
    """Give the ISO 4217 codes that are legal tender somewhere today, as Unicode's CLDR has them.

    CLDR also has withdrawn currencies, funds and metals: nobody pays with those.
    """
    in_territories: Mapping[str, list[tuple[str, object, object, bool]]] = get_global("territory_currencies")
    uses = (use for of_territory in in_territories.values() for use in of_territory)
    return frozenset(code for code, _since, until, is_tender in uses if until is None and is_tender)


def currency_hint(written: str) -> str:
    """Name the currency that was meant: by its usual name in English or Chinese, or by a code that is close."""
    name = written.strip().lower()
    code = _CURRENCY_NAMES.get(name) or _CURRENCY_NAMES.get(name.removesuffix("s"))
    code = code or closest(name, currencies(), _CLOSE_CODE)
    return f"did you mean {code!r}?" if code else "write an ISO 4217 code: CNY"
