"""Actions out of a real queue: each key once, whatever is killed when."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.integration.intake.conftest import Bench, killed
from tests.support.waiting import eventually
from tests.unit.intake.builders import ANN_ID, delete, group_joined, send, signup

SETTLED = "SELECT count(*) FROM deliveries WHERE status = 'delivered'"


async def test_a_member_is_reached_where_the_member_is(bench: Bench) -> None:
    async with bench.intake():
        await bench.publish([group_joined(1, name="安"), send("k1", text="欢迎 🎉"), send("k2", group="paid")])
        await eventually(lambda: bench.stored("OUTCOMES"), lambda count: count == 2)
    by_key = {line["key"]: line for line in bench.lines()}
    assert (by_key["k1"]["platform"], by_key["k1"]["account"], by_key["k1"]["data"]["text"]) == (
        "gitter",
        "ann",
        "欢迎 🎉",
    )
    assert by_key["k2"]["chat"] == "room-2"
    outcomes = await bench.read("OUTCOMES")
    assert {outcome["data"]["status"] for outcome in outcomes} == {"delivered"}
    assert outcomes[0]["causationid"] in {send("k1", text="欢迎 🎉").id, send("k2", group="paid").id}


async def test_members_are_told_to_the_others(bench: Bench) -> None:
    async with bench.intake():
        await bench.publish([signup(1), group_joined(2)])
        await eventually(lambda: bench.query("SELECT groups->'open'->>0 FROM memberships"), bool)
        (joined, *_) = await eventually(lambda: bench.read("MEMBERS"), bool)
    assert (joined["type"], joined["data"]["member_id"]) == ("members.member.joined.v1", ANN_ID)


async def test_what_cannot_be_delivered_says_why(bench: Bench) -> None:
    async with bench.intake(SHEQUN_INTAKE_ACCOUNT_GRACE_SECONDS="0.1"):
        await bench.publish([send("stranger", member_id="nobody"), send("cellar", group="cellar")])
        await eventually(lambda: bench.stored("OUTCOMES"), lambda count: count == 2)
    found = {outcome["data"]["idempotency_key"]: outcome["data"] for outcome in await bench.read("OUTCOMES")}
    assert (found["stranger"]["status"], found["cellar"]["status"]) == ("suppressed", "failed")
    assert "no group" in found["cellar"]["reason"]
    assert bench.lines() == []


async def test_the_same_key_from_another_action_is_delivered_once(bench: Bench) -> None:
    async with bench.intake():
        await bench.publish([group_joined(1), send("k1"), send("k1", variant="again"), send("k2")])
        await eventually(lambda: bench.stored("OUTCOMES"), lambda count: count == 2)
        await eventually(lambda: bench.stored("ACTIONS"), lambda count: count == 0)
    assert sorted(line["key"] for line in bench.lines()) == ["k1", "k2"]
    assert await bench.query("SELECT duplicates FROM action_keys WHERE idempotency_key = 'k1'") == 1


async def test_deletions_overtake_messages(bench: Bench) -> None:
    async with bench.intake(SHEQUN_INTAKE_DELIVERY_BATCH="1"):
        await bench.publish([*(send(f"k{number}", group="open") for number in range(50)), delete("disorder")])
        await eventually(lambda: bench.stored("OUTCOMES"), lambda count: count == 51)
    keys = [line["key"] for line in bench.lines()]
    assert keys.index("disorder") < 50


async def test_killed_at_random_moments_each_key_is_recorded_once(bench: Bench) -> None:
    total, dice = 1_500, random.Random(7)
    await bench.publish([group_joined(1)])
    await bench.publish([send(f"k{number}", text=f"第 {number} 条") for number in range(total)])
    deaths = 0
    while deaths < 3:
        async with bench.intake(SHEQUN_INTAKE_DELIVERY_BATCH="50") as process:
            already = len(bench.lines())
            wanted = min(already + dice.randint(1, total // 4), total)
            await eventually(_counted(bench), lambda count, wanted=wanted: count >= wanted)
            await killed(process)
            deaths += 1
    async with bench.intake():
        await eventually(lambda: bench.query(SETTLED), lambda count: count == total, within=60)
        await eventually(lambda: bench.stored("OUTCOMES"), lambda count: count == total)
    assert Counter(line["key"] for line in bench.lines()) == Counter(f"k{number}" for number in range(total))
    told = [outcome["data"]["idempotency_key"] for outcome in await bench.read("OUTCOMES")]
    assert Counter(told) == Counter(f"k{number}" for number in range(total))


def _counted(bench: Bench) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        file = bench.folder / "data" / "actions.jsonl"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    return count
