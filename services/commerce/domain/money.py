"""Amounts as people write them."""

_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS = {**dict.fromkeys(_WITHOUT_DECIMALS.split(), 0), **dict.fromkeys(_WITH_THREE.split(), 3)}
"""Decimals of the minor unit where they are not 2. Source: ISO 4217 list one."""


def in_words(minor: int, currency: str) -> str:
    """Write an amount of minor units with its currency: ``9.90 CNY``."""
    decimals = _DECIMALS.get(currency, 2)
    if decimals == 0:
        return f"{minor} {currency}"
    major, rest = divmod(abs(minor), 10**decimals)
    return f"{'-' if minor < 0 else ''}{major}.{rest:0{decimals}d} {currency}"
