"""Serves the deployments ``due-wave`` and ``daily-report`` inside this process.

People see them in the Prefect UI: they start a run, re-run one, read a report, or pause ``due-wave``, which holds back
all waves until it is resumed. A run that is cancelled while it works ends by itself after its chunks.
"""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from prefect import flow_engine
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas import OrchestrationResult
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.flows import Flow
from prefect.schedules import Cron
from prefect.states import Crashed, Pending

from flows.handles import Handles, provided
from flows.metrics import WaveMetrics
from flows.reports import daily_report
from flows.waves import due_wave
from flows.worker.loop import WaveFailedError
from flows.worker.settings import WorkerSettings

_STALE = timedelta(minutes=30)
_PURGE_SECONDS = 600.0
_PURGE_ROUNDS = 200
_OFTEN = 10

logger = structlog.get_logger()

# Prefect takes SIGTERM for itself while a flow runs, as if the process were the flow's own. Ours runs flows all the
# time and has a server to stop: it would hardly ever hear of it. There is no setting against it.
flow_engine.capture_sigterm = nullcontext  # type: ignore[attr-defined, assignment]


class Deployments:
    """Registers the deployments, executes their runs, and runs waves on behalf of ``due-wave``."""

    def __init__(self, handles: Handles, settings: WorkerSettings, metrics: WaveMetrics) -> None:
        """Prepare; nothing connects before the first step."""
        self._handles = handles
        self._settings = settings
        self._metrics = metrics
        self._flows: dict[UUID, Flow[..., Any]] = {}
        self._wave_id: UUID | None = None
        self.available = False
        self.paused = False

    async def poll(self) -> float:
        """Execute the runs that are due; give how long to rest, in real seconds."""
        try:
            if not self._flows:
                await self._register()
            async with get_client() as client:
                await self._poll_once(client)
        except Exception as error:  # noqa: BLE001  # whatever Prefect's client raises: waves go on without it
            if self.available:
                logger.warning("Prefect does not answer; waves run without it", why=str(error) or type(error).__name__)
            self.available = False
        return self._settings.prefect_poll_seconds

    async def run_wave(self) -> None:
        """Run one wave: as a flow run of its deployment, or without Prefect while that is away.

        Raises:
            WaveFailedError: the flow run failed.
        """
        settings = self._settings
        if not self.available or self._wave_id is None:
            await self._handles.waves.run_wave(settings.wave_chunk)
            return
        parameters = {"chunk_size": settings.wave_chunk, "chunks_at_once": settings.wave_chunks_at_once}
        name = f"wave-{self._handles.clock.now():%Y-%m-%d-%H:%M:%S}"
        try:
            async with get_client() as client:
                run = await client.create_flow_run_from_deployment(
                    self._wave_id, parameters=parameters, state=Pending(), name=name
                )
            failure = await self._execute(run)
        except Exception as error:  # noqa: BLE001  # as above
            logger.warning("Prefect does not answer; waves run without it", why=str(error) or type(error).__name__)
            self.available = False
            return
        if failure is not None:
            raise WaveFailedError(f"flow run {run.name}: {failure}")

    async def purge(self) -> float:
        """Delete old wave runs and give up runs that a killed worker left; give how long to rest."""
        if not self.available:
            return self._settings.prefect_poll_seconds
        try:
            async with get_client() as client:
                await self._give_up_stale(client)
                await self._delete_old(client)
        except Exception as error:  # noqa: BLE001  # as above
            logger.warning("old runs were not purged", why=str(error) or type(error).__name__)
        return _PURGE_SECONDS

    async def _register(self) -> None:
        settings = self._settings
        wave = await due_wave.ato_deployment(
            "worker",
            description="Runs by itself when somebody is due. Pause it to hold back every funnel's timers. "
            "有人到期时自动运行;暂停后所有漏斗的定时推进都会停住。",
            tags=["funnels"],
        )
        report = await daily_report.ato_deployment(
            "worker",
            schedule=Cron(settings.report_cron, timezone=settings.report_timezone),
            description="Writes the funnel report of every community. 生成每个社群的漏斗日报。",
            tags=["funnels", "reports"],
        )
        self._wave_id = await wave.aapply()
        self._flows = {self._wave_id: due_wave, await report.aapply(): daily_report}

    async def _poll_once(self, client: PrefectClient) -> None:
        if self._wave_id is not None:
            self.paused = bool((await client.read_deployment(self._wave_id)).paused)
        runs = await client.get_scheduled_flow_runs_for_deployments(
            list(self._flows), scheduled_before=datetime.now(UTC), limit=_OFTEN
        )
        self.available = True
        for run in runs:
            answer: OrchestrationResult[Any] = await client.set_flow_run_state(run.id, Pending())
            # Another worker may have taken it.
            if answer.status is SetStateStatus.ACCEPT:
                await self._execute_asked(await client.read_flow_run(run.id))

    async def _execute_asked(self, run: FlowRun) -> None:
        """Execute a run that a person or a schedule asked for. It is not repeated when it fails."""
        failure = await self._execute(run)
        if failure is not None and run.deployment_id is not None:
            flow = self._flows[run.deployment_id].name
            self._metrics.failed(flow)
            logger.error("a flow run failed", flow=flow, run=run.name, why=failure)

    async def _execute(self, run: FlowRun) -> str | None:
        """Execute a run; give why it failed, none when it did not."""
        if run.deployment_id is None:
            return None
        body = self._flows[run.deployment_id]
        with provided(self._handles):
            state = await flow_engine.run_flow_async(body, flow_run=run, parameters=run.parameters, return_type="state")
        return _failure_of(state)

    async def _give_up_stale(self, client: PrefectClient) -> None:
        stale = FlowRunFilter(
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING])),
            start_time=FlowRunFilterStartTime(before_=datetime.now(UTC) - _STALE),
        )
        ours = DeploymentFilter(id=DeploymentFilterId(any_=list(self._flows)))
        for run in await client.read_flow_runs(flow_run_filter=stale, deployment_filter=ours, limit=_OFTEN):
            await client.set_flow_run_state(run.id, Crashed(message="its worker ended before it did"), force=True)

    async def _delete_old(self, client: PrefectClient) -> None:
        before = datetime.now(UTC) - timedelta(hours=self._settings.prefect_keep_hours)
        old = {
            "deployment_id": {"any_": [str(self._wave_id)]},
            "state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]}},
            "start_time": {"before_": before.isoformat()},
        }
        for _ in range(_PURGE_ROUNDS):
            answer = await client.request("POST", "/flow_runs/bulk_delete", json={"flow_runs": old})  # type: ignore[arg-type]
            answer.raise_for_status()
            if not answer.json()["deleted"]:
                return


def _failure_of(state: object) -> str | None:
    """Give why a run failed or crashed; a run that a person cancelled did neither."""
    if not isinstance(state, State) or not (state.is_failed() or state.is_crashed()):
        return None
    return state.message or state.name or "it does not say why"
