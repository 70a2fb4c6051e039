"""What a plan says about a new version."""

from typing import Any

import pytest

from shequn.definitions import diff

from .conftest import Workshop


def changes(folder: Workshop, file: str, old: str, new: str) -> Any:
    before = folder.load().definition
    return diff(before, folder.replace(file, old, new).load().definition)


class TestDiff:
    def test_of_the_same_is_nothing(self, folder: Workshop) -> None:
        definition = folder.load().definition
        assert diff(definition, definition.model_copy(update={"version": 7})) == []

    def test_of_moved_lines_is_nothing(self, folder: Workshop) -> None:
        assert changes(folder, "funnels/growth.yaml", "funnel: growth", "# a remark\n\nfunnel: growth") == []

    @pytest.mark.parametrize(
        ("file", "old", "new", "line"),
        [
            ("community.yaml", "target: 30", "target: 40", "~ community goal: "),
            ("community.yaml", "chat: hall", "chat: hall-2", "~ group hall: chat hall → hall-2"),
            ("community.yaml", "buy now]", "buy now, cheap]", "~ rules open: words "),
            ("products.yaml", "9.90", "8.80", "~ product bag: price_minor 990 → 880"),
            (
                "products.yaml",
                "price: 9.90}",
                "price: 9.90}\n  - {id: cup, kind: goods, rung: low, price: 5}",
                "+ product cup",
            ),
            ("messages/welcome.yaml", "Hello", "Hi", "~ message welcome: en Hello → Hi"),
            ("funnels/growth.yaml", "wait: 2d", "wait: 3d", "~ step growth/step-2: duration 172800.0 → 259200.0"),
            ("funnels/growth.yaml", "enter: member.joined", "enter: order.paid", "~ funnel growth: enter "),
            ("funnels/growth.yaml", "  - wait: 2d\n", "  - wait: 2d\n  - {id: extra, tag: x}\n", "+ step growth/extra"),
            ("referral.yaml", "20%", "10%", "~ community referral: "),
            ("community.yaml", "{invite: any_member}", "{invite: owner}", "~ extra groups.hall.entry"),
        ],
    )
    def test_names_what_is_different(self, folder: Workshop, file: str, old: str, new: str, line: str) -> None:
        assert any(str(change).startswith(line) for change in changes(folder, file, old, new))

    def test_names_new_funnels_and_messages(self, folder: Workshop) -> None:
        before = folder.load().definition
        folder.write("funnels/two.yaml", "funnel: two\nenter: order.paid\nsteps: [{send: thanks}]\n")
        folder.write("messages/thanks.yaml", "zh: 谢谢\nen: Thanks\n")
        assert [str(c) for c in diff(before, folder.load().definition)] == ["+ message thanks", "+ funnel two: 1 steps"]


class TestDangers:
    def test_of_a_product_that_a_funnel_offers(self, folder: Workshop) -> None:
        before = folder.load().definition
        folder.steps("  - send: welcome\n").remove("referral.yaml")
        folder.write("products.yaml", "products:\n  - {id: taste, kind: goods, rung: free, price: 0}\n")
        removed = {
            change.name: change.danger for change in diff(before, folder.load().definition) if change.what == "product"
        }
        assert "payments for it will wait for a person" in removed["bag"]
        assert removed["box"] == ""

    def test_of_a_price_that_rises_while_offers_run(self, folder: Workshop) -> None:
        change = changes(folder, "products.yaml", "9.90", "19.90")[0]
        assert "may have offered it at the old price" in change.danger

    def test_of_a_price_that_falls_are_none(self, folder: Workshop) -> None:
        assert changes(folder, "products.yaml", "9.90", "5")[0].danger == ""

    def test_of_fewer_seats(self, folder: Workshop) -> None:
        folder.replace("products.yaml", "price: 300", "seats: [{first: 30, price: 300}]")
        change = changes(folder, "products.yaml", "first: 30", "first: 20")[0]
        assert "fewer seats" in change.danger

    def test_of_a_message_that_a_funnel_sends(self, folder: Workshop) -> None:
        before = folder.load().definition
        folder.steps("  - tag: x\n").remove("messages/welcome.yaml")
        change = next(change for change in diff(before, folder.load().definition) if change.what == "message")
        assert (change.kind, change.danger) == (
            "removed",
            "members in funnel growth keep the old text until they are through",
        )

    def test_of_a_step_where_members_may_stand(self, folder: Workshop) -> None:
        change = next(c for c in changes(folder, "funnels/growth.yaml", "  - wait: 2d\n", "") if c.kind == "removed")
        assert (change.what, change.danger) == ("step", "members who stand here finish on the old version")

    def test_of_a_funnel_that_goes_away(self, folder: Workshop) -> None:
        before = folder.load().definition
        change = next(
            c for c in diff(before, folder.remove("funnels/growth.yaml").load().definition) if c.what == "funnel"
        )
        assert "finish on the old version" in change.danger

    def test_of_another_currency(self, folder: Workshop) -> None:
        assert "no longer fit" in changes(folder, "community.yaml", "CNY", "USD")[0].danger

    def test_of_a_stored_document_without_the_digits_of_its_currency(self, folder: Workshop) -> None:
        yen = folder.replace("products.yaml", "9.90", "990").replace("community.yaml", "CNY", "JPY").load().definition
        stored = type(yen).model_validate(yen.model_dump(mode="json", exclude={"currency_digits"}))
        assert [str(change) for change in diff(stored, yen)] == ["~ community currency_digits: 2 → 0"]

    def test_of_another_community(self, folder: Workshop) -> None:
        assert (
            "nothing of the old one continues"
            in changes(folder, "community.yaml", "community: tea", "community: tee")[0].danger
        )

    def test_of_a_group_that_goes_away(self, folder: Workshop) -> None:
        change = next(c for c in changes(folder, "community.yaml", "id: hall", "id: room") if c.kind == "removed")
        assert change.what == "group"
        assert "no longer known" in change.danger
