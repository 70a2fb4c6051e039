"""Files that cannot be read are problems with a file and a line, never tracebacks."""

from pathlib import Path

import pytest

from shequn.definitions import DefinitionError, load_folder
from shequn.definitions.textfile import MAX_BYTES
from shequn.runtime.failures import ConfigError

from .conftest import Workshop

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


class TestASoundFolder:
    def test_loads(self, folder: Workshop) -> None:
        assert folder.load().definition.community == "tea"

    def test_has_version_zero_until_it_is_applied(self, folder: Workshop) -> None:
        assert folder.load().definition.version == 0

    def test_survives_its_json(self, folder: Workshop) -> None:
        definition = folder.load().definition
        assert type(definition).model_validate_json(definition.model_dump_json()) == definition


class TestAFolder:
    def test_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DefinitionError, match="nowhere: does not exist"):
            load_folder(tmp_path / "nowhere")

    def test_that_is_a_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(DefinitionError, match="is not a folder"):
            load_folder(tmp_path / "file")

    def test_without_community_yaml_is_refused(self, folder: Workshop) -> None:
        found = folder.remove("community.yaml").problems()[0]
        assert (found.file, found.line, found.message) == ("community.yaml", 0, "is missing")

    def test_may_have_nothing_but_community_yaml(self, folder: Workshop) -> None:
        for name in ("products.yaml", "referral.yaml", "funnels/growth.yaml", "messages/welcome.yaml"):
            folder.remove(name)
        assert folder.load().definition.funnels == ()

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("product.yaml", "products.yaml"),
            ("community.yml", "community.yaml"),
            ("funnels/loop.yml", "*.yaml"),
            ("messages/note.txt", "*.yaml"),
            ("words/ads.yaml", "*.txt"),
            ("funnel/loop.yaml", "funnels"),
        ],
    )
    def test_with_a_file_that_nothing_reads_is_refused(self, folder: Workshop, name: str, hint: str) -> None:
        found = folder.write(name, "a: 1").problem()
        assert found.message == "is not read"
        assert hint in found.hint

    def test_may_hold_other_files(self, folder: Workshop) -> None:
        folder.write("README.md", "hello").write("photos/tea.txt", "x").write("funnels/.hidden", "x")
        assert folder.load().definition.community == "tea"


class TestAFile:
    @pytest.mark.parametrize(
        ("text", "line", "message"),
        [
            ("", 1, "is empty"),
            ("# only a remark\n", 1, "is empty"),
            ("- a\n- b\n", 1, "is not a block of fields"),
            ("just text\n", 1, "is not a block of fields"),
            ("products:\n  - {id: a\n", 3, "is not YAML"),
            ("products: [\n", 2, "is not YAML"),
            ("products:\n\t- a\n", 2, "is not YAML"),
            ("a: b: c\n", 1, "is not YAML"),
            ("a: *nobody\n", 1, "found undefined alias"),
            ("a: 1\n---\nb: 2\n", 2, "is not YAML"),
            ("%YAML 9.9\n---\na: 1\n", 1, "is not YAML"),
            ('a: "\\UFFFFFFFF"\n', 1, "is not YAML"),
            ("a: \x01\n", 1, "has a character that YAML does not allow"),
            ("[" * 5_000, 1, "is nested too deeply"),
            ("a: " + "[" * 60 + "]" * 60, 1, "is nested more than"),
            ("a: &a [*a]\n", 1, "an alias contains itself"),
            (BOMB, 1, "holds more than 100,000 values"),
            (b"a: 1\nb: \xff\xfe\n", 2, "is not UTF-8: byte 0xff"),
            ("a: x\n".encode("utf-16"), 1, "is not UTF-8"),
            ("产品: x\n".encode("gbk"), 1, "is not UTF-8"),
            (b"#" * (MAX_BYTES + 1), 0, "is larger than 1 MiB"),
        ],
        ids=lambda value: repr(value[:16]) if isinstance(value, str | bytes) else None,
    )
    def test_that_is_no_definition_is_one_problem(
        self, folder: Workshop, text: str | bytes, line: int, message: str
    ) -> None:
        found = folder.write("products.yaml", text).problem()
        assert (found.file, found.line) == ("products.yaml", line)
        assert message in found.message

    @pytest.mark.parametrize(
        "name", ["community.yaml", "products.yaml", "funnels/growth.yaml", "messages/welcome.yaml"]
    )
    def test_that_cannot_be_parsed_causes_no_other_problems(self, folder: Workshop, name: str) -> None:
        assert folder.write(name, "a: [").problem().file == name

    def test_that_is_a_folder_is_one_problem(self, folder: Workshop) -> None:
        folder.remove("products.yaml")
        (folder.path / "products.yaml").mkdir()
        assert "cannot be read" in folder.problem().message

    def test_of_the_greatest_size_is_read(self, folder: Workshop) -> None:
        text = (folder.path / "referral.yaml").read_bytes()
        folder.write("referral.yaml", text + b"#" * (MAX_BYTES - len(text)))
        assert folder.load().definition.referral is not None

    def test_with_a_byte_order_mark_is_read(self, folder: Workshop) -> None:
        text = (folder.path / "referral.yaml").read_text(encoding="utf-8")
        assert folder.write("referral.yaml", f"\ufeff{text}").load().definition.referral is not None

    def test_with_windows_line_ends_is_read(self, folder: Workshop) -> None:
        text = (folder.path / "referral.yaml").read_text(encoding="utf-8")
        assert folder.write("referral.yaml", text.replace("\n", "\r\n")).load().definition.referral is not None

    def test_may_use_aliases(self, folder: Workshop) -> None:
        folder.write("messages/welcome.yaml", "zh: &hello Hello\nen: *hello\n")
        assert folder.load().definition.messages["welcome"].en == "Hello"


class TestAField:
    @pytest.mark.parametrize(
        ("new", "line", "field", "message"),
        [
            ("currency: CNY\ncurrency: USD", 5, "currency", "is given twice"),
            ("currency: !!python/object:os.system CNY", 4, "currency", "has the tag !!python/object:os.system"),
            ("currency: !money CNY", 4, "currency", "has the tag !money"),
            ('currency: "C\\0Y"', 4, "currency", "has a character that cannot be stored"),
            ('currency: "\\ud800"', 4, "currency", "has a character that cannot be stored"),
            ("? [a, b]\n: c\ncurrency: CNY", 4, "", "a field's name is not a text"),
        ],
    )
    def test_that_is_malformed_names_its_line(
        self, folder: Workshop, new: str, line: int, field: str, message: str
    ) -> None:
        problems = folder.replace("community.yaml", "currency: CNY", new).problems()
        assert (line, field, message) in {(found.line, found.field, found.message) for found in problems}

    def test_given_twice_says_where_the_first_one_is(self, folder: Workshop) -> None:
        found = folder.append("community.yaml", "currency: CNY\n").problem()
        assert (found.line, found.hint) == (15, "it stands on line 4 already; keep one")


class TestDefinitionError:
    def test_is_a_configuration_error(self, folder: Workshop) -> None:
        folder.remove("community.yaml")
        with pytest.raises(ConfigError):
            folder.load()

    def test_names_every_problem_on_a_line_of_its_own(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "Asia/Shanghai", "Mars").replace("products.yaml", "9.90", "9.999")
        with pytest.raises(DefinitionError) as caught:
            folder.load()
        head, *lines = str(caught.value).splitlines()
        assert head == "2 problems in the definition files:"
        assert [line.split(": ")[0] for line in lines] == ["community.yaml:3", "products.yaml:3"]

    def test_sorts_by_file_and_line_and_names_last_what_depends_on_others(self, folder: Workshop) -> None:
        folder.write("messages/welcome.yaml", "zh: 你好\n").replace("community.yaml", "free, pl", "fee, pl")
        folder.replace("community.yaml", "timezone: Asia/Shanghai", "timezone: Mars")
        folder.replace("products.yaml", "9.90", "cheap")
        assert [(found.file, found.line) for found in folder.problems()] == [
            ("community.yaml", 3),
            ("community.yaml", 9),
            ("products.yaml", 3),
            ("messages/welcome.yaml", 1),
        ]
