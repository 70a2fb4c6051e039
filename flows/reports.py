"""The daily report as a Prefect flow: a markdown artifact for each community and language."""

from datetime import datetime

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact

from flows.engine.guards import zone_of
from flows.handles import Handles, live_handles
from flows.metrics import REPORT
from flows.report import Presence, render_report
from flows.store import read_funnel_totals, read_states
from shequn.contracts.definitions.community import CommunityDefinition
from shequn.contracts.signups import Language


@flow(
    name=REPORT,
    description="What the funnels did today, stage by stage. 漏斗日报:逐阶段的人数与转化。",
    persist_result=False,
)
async def daily_report(community: str | None = None) -> list[str]:
    """Write the report of every community, in each of its languages.

    Args:
        community: only this one.

    Returns:
        The keys of the artifacts.
    """
    async with live_handles() as handles:
        now = handles.clock.now()
        wanted = handles.definitions.communities if community is None else (community,)
        keys = []
        for each in wanted:
            definition = handles.definitions.current(each)
            for language, text in (await write_reports(handles, definition, now)).items():
                key = f"daily-report-{each}-{language}".replace("_", "-")
                await acreate_markdown_artifact(text, key=key, description=f"{each}, {language}")
                keys.append(key)
        return keys


async def write_reports(handles: Handles, definition: CommunityDefinition, now: datetime) -> dict[Language, str]:
    """Write a community's report in each of its languages, from the schema of the funnels."""
    day = now.astimezone(zone_of(definition.timezone, "UTC")).date()
    async with handles.store.connection() as connection:
        totals = await read_funnel_totals(connection, day)
        states = await read_states(connection, now)
    ours = [state for state in states if state.community == definition.community and state.state != "finished"]
    by_funnel = {total.funnel: total for total in totals if total.community == definition.community}
    presences = {
        funnel: Presence(
            sum(state.members for state in ours if state.funnel == funnel),
            sum(state.due for state in ours if state.funnel == funnel),
        )
        for funnel in by_funnel
    }
    return {
        language: render_report(definition, by_funnel, presences, day, language) for language in definition.languages
    }
