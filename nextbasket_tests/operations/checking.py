"""Asset checks on a lake by hand, executed as Dagster does: with a run's weeks, or by themselves."""

from datetime import date

import dagster as dg

from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.partitions import LGSR_WEEKS
from nextbasket_assets.resources.lake import LakeResource


def checked(
    lake: Lake, check: dg.AssetChecksDefinition, first: date | None = None, last: date | None = None
) -> dg.AssetCheckEvaluation:
    """What a check says after a run of one week or of a range; without weeks the check is executed by itself."""
    [key] = check.check_keys

    @dg.asset(name=key.asset_key.to_user_string(), partitions_def=LGSR_WEEKS, backfill_policy=one_run())
    def table() -> None: ...

    alone = dg.define_asset_job("alone", selection=dg.AssetSelection.checks(key))
    definitions = dg.Definitions(
        assets=[table],
        asset_checks=[check],
        jobs=[alone, dg.define_asset_job("after_a_run")],
        resources={"lake": LakeResource(root=lake.root)},
    )
    tags = {}
    if first and last:
        ends = {"start": first.isoformat(), "end": last.isoformat()}
        tags = {f"dagster/asset_partition_range_{end}": week for end, week in ends.items()}
    result = definitions.resolve_job_def("after_a_run" if first else "alone").execute_in_process(
        instance=dg.DagsterInstance.ephemeral(),
        partition_key=first.isoformat() if first and not last else None,
        tags=tags,
    )
    [evaluation] = result.get_asset_check_evaluations()
    return evaluation


def one_run() -> dg.BackfillPolicy:
    return dg.BackfillPolicy.single_run()
