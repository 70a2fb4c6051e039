from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.moderation.text.normaliser import normal_form, normalise

LETTERS = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs",)),
        st.sampled_from("aÅ\u0301\u0323\u200b\u202eＡ㎏ﬁ가ㅎㅏｶﾞ❤\ufe0f，。"),
    ),
    max_size=40,
)


class TestNormalForm:
    @pytest.mark.parametrize(
        ("written", "normal"),
        [
            ("", ""),
            ("Casino", "casino"),
            ("ＣＡＳＩＮＯ", "casino"),
            ("ｃａｓｉｎｏ！", "casino!"),
            ("cas\u200bi\u200dno", "casino"),
            ("赌\u2060场", "赌场"),
            ("\u202eoniｓac\u202c", "onisac"),
            ("ca\u00adsino", "casino"),
            ("cas\x07ino", "casino"),
            ("赌\ufe0f场", "赌场"),
            ("①２Ⅲ", "12iii"),
            ("Straße", "strasse"),
            ("line\nnext\ttab", "line\nnext\ttab"),
            ("大家好，今天。", "大家好,今天。"),
            ("😀👍🏽", "😀👍🏽"),
        ],
    )
    def test_is_one_for_all_ways_to_write(self, written: str, normal: str) -> None:
        assert normal_form(written) == normal

    @given(LETTERS)
    def test_is_what_unicode_says_of_the_visible_characters(self, text: str) -> None:
        visible = "".join(character for character in text if normal_form(character))
        assert normal_form(text) == normalize("NFKC", visible).casefold()

    def test_takes_a_long_text(self) -> None:
        assert len(normal_form("群，" * 32_768)) == 65_536


class TestSpan:
    @pytest.mark.parametrize(
        ("original", "found", "quoted"),
        [
            ("go to the CASINO now", "casino", "CASINO"),
            ("来ＣＡＳＩＮＯ玩", "casino", "ＣＡＳＩＮＯ"),
            ("a\u200b赌\u200b场b", "赌场", "赌\u200b场"),
            ("三㎏gold", "kggold", "㎏gold"),
            ("cafe\u0301 noir", "café", "cafe\u0301"),
            ("😀赌场😀", "赌场", "赌场"),
            ("ｶﾞﾁｬ", "ガチャ", "ｶﾞﾁｬ"),
        ],
    )
    def test_leads_back_to_what_was_written(self, original: str, found: str, quoted: str) -> None:
        normalised = normalise(original)
        start = normalised.text.index(found)
        assert normalised.quote(start, start + len(found), 256) == quoted

    def test_is_cut_to_the_limit(self) -> None:
        assert normalise("赌场赌场").quote(0, 4, 3) == "赌场赌"

    @given(LETTERS, st.data())
    def test_holds_what_was_found(self, text: str, data: st.DataObject) -> None:
        normalised = normalise(text)
        if not normalised.text:
            return
        start = data.draw(st.integers(0, len(normalised.text) - 1))
        end = data.draw(st.integers(start + 1, len(normalised.text)))
        begin, stop = normalised.span(start, end)
        assert normalised.text[start:end] in normal_form(text[begin:stop])
