"""One form for all the ways to write the same text, and the way back to what was written."""

import re
from dataclasses import dataclass
from unicodedata import is_normalized, normalize

# Default_Ignorable_Code_Point of Unicode (UAX #44): soft hyphen, joiners, zero-width spaces, bidi controls, fillers,
# variation selectors, tags. NFKC_Casefold removes the same set. Control characters but white space show nothing either.
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f"
_CONTROL = re.compile(f"[{_CONTROLS}]+")
_INVISIBLE = re.compile(
    f"[{_CONTROLS}\x80-\x84\x86-\x9f"
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# The full-width characters that nearly every Chinese message has. With them replaced it usually is in NFKC already, and
# asking is 20 times as fast as converting.
_COMMON_WIDE = tuple(zip("，！？：；（）～\u3000", ",!?:;()~ ", strict=True))
# How many characters may follow a match and still belong to its last letter: marks, and the parts of a Hangul syllable.
_LONGEST_TAIL = 16


def normal_form(text: str) -> str:
    """Give ``text`` without invisible characters, in NFKC (full-width becomes half-width), with case folded."""
    if text.isascii():
        return (text if text.isprintable() else _CONTROL.sub("", text)).lower()
    text = _INVISIBLE.sub("", text)
    for wide, narrow in _COMMON_WIDE:
        text = text.replace(wide, narrow)
    if not is_normalized("NFKC", text):
        text = normalize("NFKC", text)
    return text.casefold()


@dataclass(slots=True)
class Normalised:
    """A text in normal form, with its original.

    Attributes:
        original: as it was written.
        text: its normal form; positions of matches are positions in it.
    """

    original: str
    text: str

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the span of the original that became ``text[start:end]``; the normal form of the one holds the other.

        It is worked out when it is asked for: nearly every message passes, and then nobody asks.
        """
        wanted = self.text[start:end]
        begin = self._shortest_prefix(start + 1) - 1
        stop = self._shortest_prefix(end)
        for tail in range(_LONGEST_TAIL + 1):
            if wanted in normal_form(self.original[begin : stop + tail]):
                return begin, min(stop + tail, len(self.original))
        return begin, stop

    def quote(self, start: int, end: int, limit: int) -> str:
        """Give the original of ``text[start:end]``, cut to ``limit`` characters."""
        begin, stop = self.span(start, end)
        # PostgreSQL keeps no NUL in text.
        return self.original[begin : min(stop, begin + limit)].replace("\0", "")

    def _shortest_prefix(self, length: int) -> int:
        """Count the characters of the original whose normal form first has ``length`` characters."""
        low, high = 1, len(self.original)
        while low < high:
            middle = (low + high) // 2
            if len(normal_form(self.original[:middle])) >= length:
                high = middle
            else:
                low = middle + 1
        return low


def normalise(text: str) -> Normalised:
    """Bring a text into normal form and keep the original beside it."""
    return Normalised(text, normal_form(text))
