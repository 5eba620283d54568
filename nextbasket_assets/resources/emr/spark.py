"""The Spark resource of the deployment `emr`: the same `run`, far away."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from nextbasket_assets.resources.emr.calls import Aws, Clock
from nextbasket_assets.resources.emr.cluster import Cluster
from nextbasket_assets.resources.emr.serverless import Application
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.resources.emr.stages import FarStages
from nextbasket_assets.resources.spark import SparkResource, StageReport


class EmrSparkResource(SparkResource):
    """Runs stages on EMR. It lives as long as the run (the executor is in process), and so does its cluster.

    Attributes:
        settings: what may be chosen.
        lake: root of the lake, by which the reaper knows its own clusters.
    """

    settings: EmrSettings
    lake: str

    _stages: FarStages | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["EmrSparkResource"]:
        """Give the resource to a run; nothing is made before a stage needs it, nothing stays after it."""
        log, run_id = context.log, context.run.run_id if context.run else "no-run"
        clock = self.clock()
        aws = Aws(clock, self.settings.patience_minutes * 60, lambda line: log.warning(line) if log else None)
        tell = lambda line: log.info(line) if log else None  # noqa: E731
        place = (
            Cluster(self.settings, aws, run_id, self.lake, tell, clock)
            if self.settings.mode == "cluster"
            else Application(self.settings, aws, run_id, tell)
        )
        self._stages = FarStages(place, self.settings, aws, run_id, tell, clock)
        try:
            yield self
        finally:
            _end(self._stages)

    def clock(self) -> Clock:
        """Time; a test has its own."""
        return Clock()

    def run(
        self, stage: str, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str], **parameters: Any
    ) -> StageReport:
        """Run one stage on EMR."""
        assert self._stages is not None, "Dagster enters the resource before an asset gets it"
        return self._stages.run(
            {
                "stage": stage,
                "inputs": {table: list(files) for table, files in inputs.items()},
                "outputs": dict(outputs),
                "parameters": parameters,
            }
        )


def _end(stages: FarStages) -> None:
    """End the place; a second signal in the middle of it changes nothing."""
    try:
        stages.place.end()
    except Exception:
        raise
    except BaseException:
        stages.place.end()
        raise
