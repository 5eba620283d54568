"""The reaper: ends clusters whose run is over, for the day on which the run could not do it itself."""

import dagster as dg

from nextbasket_assets.resources.emr.calls import Aws, Clock
from nextbasket_assets.resources.emr.reaper import reap

SECONDS_BETWEEN_LOOKS = 120
_PATIENCE_SECONDS = 30.0  # a sensor's tick is short, and the next one comes


def cluster_reaper(lake: str) -> dg.SensorDefinition:
    """The sensor over the clusters of this lake."""

    @dg.sensor(
        name="cluster_reaper",
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends EMR clusters whose run is over (killed, lost), and says which. Runs end their own otherwise.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        def over(run_id: str) -> str | None:
            run = context.instance.get_run_by_id(run_id)
            if run is None:
                return "is unknown to this Dagster"
            return f"is {run.status.value}" if run.is_finished else None

        ended = reap(Aws(Clock(), _PATIENCE_SECONDS, context.log.warning), lake, over)
        for orphan in ended:
            context.log.warning(f"ended cluster {orphan.cluster}: its run {orphan.run_id} {orphan.why}")
        named = ", ".join(f"{orphan.cluster} (run {orphan.run_id} {orphan.why})" for orphan in ended)
        return dg.SkipReason(f"ended {len(ended)} cluster(s): {named}" if ended else "no cluster outlived its run")

    return sensor
