"""Each kind of mistake: which file, line and field it is pinned to, and what is said."""

import pytest

from .conftest import Workshop

COMMUNITY = [
    ("community: tea", "community: Tea House", 1, "community", "'Tea House' is not a name"),
    ("community: tea", "<ommunity: tea", 1, "<ommunity", "unknown field '<ommunity'"),
    ("community: tea\n", "", 1, "community", "is missing"),
    ("name: {zh: 茶友会, en: Tea friends}", "name: {zh: 茶友会}", 2, "name", "has no English text"),
    ("name: {zh: 茶友会, en: Tea friends}", "name: 茶友会", 2, "name", "is written in one language only"),
    ("en: Tea friends", "de: Teefreunde, en: Tea friends", 2, "name.de", "unknown field 'de'"),
    ("Asia/Shanghai", "Asia/Shanghay", 3, "timezone", "no time zone 'Asia/Shanghay'"),
    ("Asia/Shanghai", "Asia", 3, "timezone", "no time zone 'Asia'"),
    ("Asia/Shanghai", "../../etc/passwd", 3, "timezone", "no time zone '../../etc/passwd'"),
    ("currency: CNY", "currency: RMB", 4, "currency", "no currency 'RMB'"),
    ("currency: CNY", "currency: YUN", 4, "currency", "no currency 'YUN'"),
    ("currency: CNY", "currency: DEM", 4, "currency", "no currency 'DEM'"),
    ("currency: CNY", "currency: XXX", 4, "currency", "no currency 'XXX'"),
    ("currency: CNY", "currency: 156", 4, "currency", "should be a text, not '156'"),
    ("languages: [zh, en]", "languages: [zh, fr]", 5, "languages[1]", "'fr' is not one of zh, en"),
    ("languages: [zh, en]", "languages: zh", 5, "languages", "should be a list, not 'zh'"),
    ("interest: {tags: [tea]", "interest: {tags: []", 6, "interest.tags", "at least 1 item"),
    ("purpose: [growth, sell-goods]", "purpose: [money]", 6, "interest.purpose[0]", "'money' is not one of"),
    (", purpose: [growth, sell-goods]", "", 6, "interest.purpose", "is missing"),
    ("interest: {tags: [tea], purpose: [growth, sell-goods]}\n", "", 1, "interest", "so cannot go live"),
    ("goal: {metric: visits, unit: visits, target: 30, every: week}\n", "", 1, "goal", "has no quantified goal"),
    ("target: 30, ", "", 7, "goal.target", "is missing"),
    ("target: 30", "target: 0", 7, "goal.target", "greater than 0"),
    ("target: 30", "target: many", 7, "goal.target", "should be a number, not 'many'"),
    ("target: 30", "target: .inf", 7, "goal.target", "should be a number"),
    ("every: week", "every: fortnight", 7, "goal.every", "'fortnight' is not one of day, week"),
    ("kind: free", "kind: fee", 9, "groups[0].kind", "'fee' is not one of free, paid"),
    ("chat: hall", "chatt: hall", 9, "groups[0].chatt", "unknown field 'chatt'"),
    ("platform: replay, ", "", 9, "groups[0].platform", "is missing"),
    ("rules: open}", "rules: opn}", 9, "groups[0].rules", "no rules 'opn'"),
    ("rules: open}", "rules: open, capacity: 0}", 9, "groups[0].capacity", "greater than or equal to 1"),
    ("rules: open}", "rules: open, capacity: true}", 9, "groups[0].capacity", "not true"),
    ("{invite: any_member}", "{paid: bagg}", 9, "groups[0].entry.all[0].paid", "no product 'bagg'"),
    ("{invite: any_member}", "{paid: bag, invite: owner}", 9, "groups[0].entry.all[0]", "should have one condition"),
    ("{invite: any_member}", "{inivte: owner}", 9, "groups[0].entry.all[0].inivte", "unknown entry threshold 'inivte'"),
    ("open:\n", "Open:\n", 11, "rules.Open", "'Open' is not a name"),
    ("notice: {zh: [聊茶], en: [Talk tea]}", "notice: {zh: [聊茶]}", 12, "rules.open.notice", "has no English text"),
    ("zh: [聊茶]", "zh: [一, 二, 三, 四]", 12, "rules.open.notice.zh", "has 4 points"),
    ("notice: {zh: [聊茶], en: [Talk tea]}", "notice: []", 12, "rules.open.notice", "at least 1 item"),
    ("[bare-link, ads]", "[bare-link, adds]", 13, "rules.open.forbid[1]", "unknown kind 'adds'"),
    ("[bare-link, ads]", "[bare-link, flooding]", 13, "rules.open.forbid[1]", "flooding is not a word list"),
    ("[bare-link, ads]", "[ads, ads]", 13, "rules.open.forbid[1]", "'ads' is forbidden twice"),
    ("[bare-link, ads]", "[ads, {kind: link, do: flag}]", 13, "rules.open.forbid[1].do", "links can only be deleted"),
    ("[bare-link, ads]", "[{kind: ads, do: kill}]", 13, "rules.open.forbid[0].do", "'kill' is not one of delete, flag"),
    ("words: {ads: [加微信, buy now]}", "words: {ads: []}", 14, "words.ads", "at least 1 item"),
    ("words: {ads: [加微信, buy now]}", "words: {ads: [a]}", 14, "words.ads", "stands in nearly every message"),
    ("words: {ads: [", "words: {link: [x.com], ads: [", 14, "words.link", "'link' needs no word list"),
]

RULES = [
    ("flood: {messages: 6}", "rules.open.flood.within", "is missing"),
    ("flood: {messages: 0, within: 10s}", "rules.open.flood.messages", "greater than or equal to 1"),
    ("flood: {messages: 6, within: 10}", "rules.open.flood.within", "'10' is not a length of time"),
    ("ladder: [warn-private, remind]", "rules.open.ladder", "is not in order"),
    ("ladder: [remove]", "rules.open.ladder", "has no rung that is acted on"),
    ("ladder: [remind, ban]", "rules.open.ladder[1]", "'ban' is not one of"),
    ("ladder: []", "rules.open.ladder", "at least 1 item"),
    ("appeal: 90m", "rules.open.appeal", "is not in whole hours"),
    ("quiet: 23:30", "rules.open.quiet", "is not a clock window"),
    ('quiet: "23:30-23:30"', "rules.open.quiet", "starts and ends at once"),
    ('quiet: "24:30-06:00"', "rules.open.quiet", "'24:30' is not a clock time"),
    ("ads: sometimes", "rules.open.ads", "'sometimes' is not one of ban"),
    ("voice: never", "rules.open.voice", "'never' is not one of allow, forbid"),
    ("extends: opn", "rules.open.extends", "no rules 'opn'"),
    ("extends: open", "rules.open.extends", "in a circle: open → open"),
    ("words: {ads: [x]}", "rules.open.words", "word lists stand at the top of community.yaml"),
    ("links: {min_words: 0}", "rules.open.links.min_words", "greater than or equal to 1"),
]

PRODUCTS = [
    ("price: 9.90", "price: 9.999", 3, "products[1].price", "9.999 has more decimals than the currency has (2)"),
    ("price: 9.90", "price: -1", 3, "products[1].price", "-1 is not an amount"),
    ("price: 9.90", "price: ¥9.90", 3, "products[1].price", "'¥9.90' is not an amount"),
    ("price: 9.90", "price: 1e400", 3, "products[1].price", "is not an amount between 0 and 10¹²"),
    ("price: 9.90", "price: .nan", 3, "products[1].price", "'.nan' is not an amount"),
    ("price: 9.90", "price: 9.9000000000000000000000001", 3, "products[1].price", "has too many digits"),
    ("price: 9.90", "price: true", 3, "products[1].price", "is not an amount"),
    ("price: 9.90", "price: any", 3, "products[1].price", "'any' is not an amount"),
    ("price: 0", "price: open", 2, "products[0].price", "is open on the rung free"),
    ("price: 9.90", "price: 0", 3, "products[1].price", "is 0 on the rung low"),
    (", price: 9.90", "", 3, "products[1]", "has no price"),
    ("price: 9.90", "price: 9.90, seats: [{first: 3, price: 1}]", 3, "products[1].seats", "stands beside `price`"),
    ("price: 9.90", "seats: [{next: 3, price: 1}]", 3, "products[1].seats[0]", "should say `first`"),
    (
        "price: 9.90",
        "seats: [{first: 3, price: 1}, {first: 3, price: 2}]",
        3,
        "products[1].seats[1]",
        "should say `next`",
    ),
    ("price: 9.90", "seats: [{first: 3, price: 1.001}]", 3, "products[1].seats[0].price", "more decimals"),
    ("price: 9.90", "quantity: 3, seats: [{first: 3, price: 1}]", 3, "products[1].quantity", "stands beside `seats`"),
    ("price: 9.90", "seats: []", 3, "products[1].seats", "at least 1 item"),
    ("price: 9.90", "price: 9.90, term: forever", 3, "products[1].term", "'forever' is not a length of time"),
    ("price: 9.90", "price: 9.90, quantiti: 3", 3, "products[1].quantiti", "unknown field 'quantiti'"),
    ("price: 0", "price: 1", 2, "products[0].price", "is above 0 on the rung free"),
    ("kind: goods, rung: low", "kind: thing, rung: low", 3, "products[1].kind", "'thing' is not one of goods, service"),
    ("rung: low", "rung: lowest", 3, "products[1].rung", "'lowest' is not one of free, low, middle, high"),
    ("{bought: bag}", "{bought: bagg}", 4, "products[2].requires.bought", "no product 'bagg'"),
    ("{bought: bag}", "{bought: box}", 4, "products[2].requires", "nobody can ever buy 'box'"),
    ("id: taste", "id: bag", 3, "products[1].id", "product 'bag' is defined twice"),
    ("products:", "product:", 1, "product", "unknown field 'product'"),
]

REFERRAL = [
    ("rate: 20%", "rate: 51%", "referral.commission.rate", "above 50 % members earn by recruiting"),
    ("rate: 20%", "rate: 0.2", "referral.commission.rate", "'0.2' is not a percentage"),
    ("rate: 20%", "rate: 200%", "referral.commission.rate", "'200%' is not a percentage"),
    ("rate: 20%", "rate: 20%, levels: 3", "referral.commission.levels", "more than two is a pyramid"),
    ("rate: 20%", "rate: 20%, levels: 0", "referral.commission.levels", "pays no level"),
    ("rate: 20%", "rate: 20%, per_head: 5", "referral.commission.per_head", "pays for heads, which is a pyramid"),
    ("rate: 20%", "rate: 20%, entry_fee: 5", "referral.commission.entry_fee", "sells the right to earn"),
    ("rate: 20%", "rate: 20%, hold: never", "referral.commission.hold", "'never' is not one of"),
    ("on: [bag]", "on: [bagg]", "referral.commission.on", "no product 'bagg'"),
    ("on: [bag], ", "", "referral.commission.on", "is missing"),
]


class TestCommunity:
    @pytest.mark.parametrize(("old", "new", "line", "field", "message"), COMMUNITY)
    def test_mistake(self, folder: Workshop, old: str, new: str, line: int, field: str, message: str) -> None:
        problems = folder.replace("community.yaml", old, new).problems()
        found = next((p for p in problems if (p.line, p.field) == (line, field)), None)
        assert found is not None, "\n".join(map(str, problems))
        assert found.file == "community.yaml"
        assert message in found.message

    @pytest.mark.parametrize(("text", "field", "message"), RULES)
    def test_mistake_in_rules(self, folder: Workshop, text: str, field: str, message: str) -> None:
        folder.replace("community.yaml", "    forbid: [bare-link, ads]", f"    forbid: [bare-link, ads]\n    {text}")
        found = folder.problem()
        assert (found.file, found.line, found.field) == ("community.yaml", 14, field)
        assert message in found.message

    def test_group_defined_twice(self, folder: Workshop) -> None:
        group = (
            "  - {id: hall, kind: free, platform: replay, chat: two, entry: {all: [{invite: owner}]}, rules: open}\n"
        )
        found = folder.replace("community.yaml", "rules:\n", f"{group}rules:\n").problem()
        assert (found.line, found.field) == (10, "groups[1].id")
        assert found.hint == "the first is on line 9; rename one"

    def test_chat_used_twice(self, folder: Workshop) -> None:
        group = (
            "  - {id: two, kind: free, platform: replay, chat: hall, entry: {all: [{invite: owner}]}, rules: open}\n"
        )
        assert folder.replace("community.yaml", "rules:\n", f"{group}rules:\n").problem().field == "groups[1].chat"

    def test_group_that_does_not_say_which_of_two_rules(self, folder: Workshop) -> None:
        folder.replace("community.yaml", ", rules: open}", "}").replace(
            "community.yaml", "words:", "  strict: {}\nwords:"
        )
        found = folder.problem()
        assert (found.line, found.hint) == (9, "add `rules:` with one of open, strict")

    def test_rules_missing(self, folder: Workshop) -> None:
        text = (folder.path / "community.yaml").read_text(encoding="utf-8")
        folder.write("community.yaml", text[: text.index("rules:\n")].replace(", rules: open", ""))
        assert [(p.field, p.message) for p in folder.problems()] == [
            ("rules", "a community has no rules and so cannot go live")
        ]

    def test_tier_window_that_is_no_whole_day(self, folder: Workshop) -> None:
        found = folder.append("community.yaml", "engagement: {tier_windows: [7d, 36h]}\n").problem()
        assert (found.line, found.field) == (15, "engagement.tier_windows[1]")

    def test_part_that_has_a_file_of_its_own(self, folder: Workshop) -> None:
        found = folder.append("community.yaml", "funnels: []\n").problem()
        assert (found.line, found.message) == (15, "funnels stand in funnels/, one file each")

    def test_part_that_is_kept_is_still_checked(self, folder: Workshop) -> None:
        found = folder.append(
            "community.yaml", "clean_up: {every: week, idle: 60d, roll_call: '20:00', confirm_by: owner}\n"
        )
        assert (found.problem().line, found.problem().field) == (15, "clean_up.every")


class TestProducts:
    @pytest.mark.parametrize(("old", "new", "line", "field", "message"), PRODUCTS)
    def test_mistake(self, folder: Workshop, old: str, new: str, line: int, field: str, message: str) -> None:
        problems = folder.replace("products.yaml", old, new).problems()
        found = next((p for p in problems if (p.file, p.line, p.field) == ("products.yaml", line, field)), None)
        assert found is not None, "\n".join(map(str, problems))
        assert message in found.message

    def test_circle_of_requirements(self, folder: Workshop) -> None:
        folder.replace("products.yaml", "price: 9.90}", "price: 9.90, requires: {bought: box}}")
        assert [found.line for found in folder.problems()] == [3, 4]


class TestReferral:
    @pytest.mark.parametrize(("old", "new", "field", "message"), REFERRAL)
    def test_mistake(self, folder: Workshop, old: str, new: str, field: str, message: str) -> None:
        found = folder.replace("referral.yaml", old, new).problem()
        assert (found.file, found.line, found.field) == ("referral.yaml", 2, field)
        assert message in found.message

    def test_without_commission(self, folder: Workshop) -> None:
        found = folder.write("referral.yaml", "referral: {stay: 7d}\n").problem()
        assert (found.field, found.message) == ("referral", "has no commission")

    def test_pay_per_head_beside_the_commission(self, folder: Workshop) -> None:
        found = folder.append("referral.yaml", "  pay_per_head: 5\n").problem()
        assert (found.line, found.field) == (3, "referral.pay_per_head")


class TestMessages:
    @pytest.mark.parametrize(
        ("text", "line", "field", "message"),
        [
            ("zh: 你好\n", 1, "", "has no English text"),
            ("zh: 你好\nen: ''\n", 2, "en", "at least 1 character"),
            ("zh: 你好\nen: Hello\nfr: Bonjour\n", 3, "fr", "unknown language 'fr'"),
            ("zh: 你好\nen: 5\n", 2, "en", "should be a text, not '5'"),
            ("zh: '{namee}'\nen: Hello\n", 1, "", "unknown placeholder {namee}"),
            ("zh: 你好\nen: 'Hello {name'\n", 2, "en", "has a brace that belongs to no placeholder"),
            ("zh: 你好\nen: '{product}'\n", 1, "", "{product} belongs to an offer"),
            ("zh:\nen:\n", 1, "", "has no text"),
            ("messages: {welcome: {zh: 你好}}\n", 1, "messages.welcome", "has no English text"),
            ("zh: 你好\nen: Hello\nmessages: {a: {zh: 一, en: one}}\n", 3, "messages", "stands beside a message"),
            (
                "messages: {welcome: {zh: 一, en: a}, Bad Name: {zh: 一, en: a}}\n",
                1,
                "messages.Bad Name",
                "is not a name",
            ),
        ],
    )
    def test_mistake(self, folder: Workshop, text: str, line: int, field: str, message: str) -> None:
        problems = folder.write("messages/welcome.yaml", text).problems()
        places = [
            found
            for found in problems
            if (found.file, found.line, found.field) == ("messages/welcome.yaml", line, field)
        ]
        assert any(message in found.message for found in places), "\n".join(map(str, problems))

    def test_defined_in_two_files(self, folder: Workshop) -> None:
        found = folder.write("messages/zz.yaml", "messages: {welcome: {zh: 一, en: one}}\n").problem()
        assert (found.file, found.line, found.field) == ("messages/zz.yaml", 1, "messages.welcome")
        assert found.hint == "the first is in messages/welcome.yaml:1"

    def test_file_whose_name_is_no_name(self, folder: Workshop) -> None:
        found = folder.write("messages/Hello World.yaml", "zh: 一\nen: one\n").problem()
        assert found.message == "'Hello World' is not a name"


class TestHints:
    @pytest.mark.parametrize(
        ("file", "old", "new", "hint"),
        [
            ("community.yaml", "currency:", "currenzy:", "did you mean 'currency'?"),
            ("community.yaml", "Asia/Shanghai", "asia/shanghai", "did you mean 'Asia/Shanghai'?"),
            ("community.yaml", "currency: CNY", "currency: cny", "did you mean 'CNY'?"),
            ("community.yaml", "currency: CNY", "currency: yuan", "did you mean 'CNY'?"),
            ("community.yaml", "currency: CNY", "currency: RMB", "did you mean 'CNY'?"),
            ("community.yaml", "currency: CNY", "currency: 元", "did you mean 'CNY'?"),
            ("community.yaml", "currency: CNY", "currency: 人民币", "did you mean 'CNY'?"),
            ("community.yaml", "currency: CNY", "currency: Dollars", "did you mean 'USD'?"),
            ("community.yaml", "currency: CNY", "currency: euro", "did you mean 'EUR'?"),
            ("community.yaml", "currency: CNY", "currency: CNNY", "did you mean 'CNY'?"),
            ("community.yaml", "currency: CNY", "currency: gold", "write an ISO 4217 code: CNY"),
            ("community.yaml", "every: week", "every: weekly", "did you mean 'week'?"),
            ("community.yaml", "rules: open}", "rules: openn}", "did you mean 'open'?"),
            ("funnels/growth.yaml", "send: welcome", "send: welcom", "did you mean 'welcome'?"),
            ("funnels/growth.yaml", "send: welcome", "send: x", "add messages/x.yaml"),
            ("funnels/growth.yaml", "enter: member.joined", "enter: member.join", "did you mean 'member.joined'?"),
            ("funnels/growth.yaml", "timeout: end", "timeout: endd", "did you mean 'end'?"),
            ("funnels/growth.yaml", "stage: free", "stage: fre", "did you mean 'free'?"),
            ("funnels/growth.yaml", "offer: bag", "offer: bags", "did you mean 'bag'?"),
            ("funnels/growth.yaml", "wait: 2d", "wait: 2", "write 2d for days or 2h for hours"),
        ],
    )
    def test_names_what_was_meant(self, folder: Workshop, file: str, old: str, new: str, hint: str) -> None:
        problems = folder.replace(file, old, new).problems()
        assert hint in {found.hint for found in problems}


class TestManyMistakes:
    def test_in_one_file_are_all_told(self, folder: Workshop) -> None:
        folder.replace("products.yaml", "price: 0", "price: x").replace("products.yaml", "9.90", "9.999")
        folder.replace("products.yaml", "{bought: bag}", "{bought: bagg}")
        assert [found.line for found in folder.problems()] == [2, 3, 4]

    def test_of_shape_do_not_hide_mistakes_of_sense(self, folder: Workshop) -> None:
        folder.replace("community.yaml", "target: 30", "target: many").replace(
            "community.yaml", "rules: open}", "rules: opn}"
        )
        assert [found.field for found in folder.problems()] == ["goal.target", "groups[0].rules"]

    def test_in_a_product_do_not_make_it_unknown(self, folder: Workshop) -> None:
        found = folder.replace("products.yaml", "rung: low", "rung: lwo").problem()
        assert found.field == "products[1].rung"

    def test_in_a_step_do_not_hide_those_of_others(self, folder: Workshop) -> None:
        folder.replace("funnels/growth.yaml", "wait: 2d", "wait: soon").replace(
            "funnels/growth.yaml", "offer: bag", "offer: bug"
        )
        assert [found.field for found in folder.problems()] == ["steps[1].wait", "steps[2].offer"]
