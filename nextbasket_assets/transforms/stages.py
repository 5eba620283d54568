"""Stages by name: read the files that a plan names, call the pure functions, write fresh folders, audit what was written.

A plan is JSON, so that a laptop runs it in process and a cluster from a file:

    {"stage": "staged_baskets", "inputs": {"raw_transactions": [URI, ...]}, "outputs": {"staged_baskets": FOLDER},
     "parameters": {"weeks": ["2006-04-10"], "non_merchandise": ["PRD0903678"]}}

The report is JSON too: rows and broken claims per table and week, the counts that each filter removed, metrics, seconds.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import SparkSession

from nextbasket_assets.transforms import stage_audit, stage_lines, stage_missions, stage_profiles
from nextbasket_assets.transforms.tables import SETTINGS, audit

Plan = dict[str, Any]
Report = dict[str, Any]

Stage = Callable[[SparkSession, Plan], Report]

STAGES: dict[str, Stage] = {
    "raw_transactions": stage_lines.raw_transactions,
    "staged_baskets": stage_lines.staged_baskets,
    "mission_documents": stage_missions.mission_documents,
    "tag_baskets": stage_missions.tag_baskets,
    "mission_profiles": stage_profiles.mission_profiles,
    "customer_sequences": stage_missions.customer_sequences,
    "audit": stage_audit.audit_files,
    "replayed_baskets": stage_audit.replayed_baskets,
}


def run(spark: SparkSession, plan: Plan, stages: Mapping[str, Stage] = STAGES) -> Report:
    """Run the plan's stage, one of `stages`: one set of Spark jobs for one week or for a hundred.

    Returns:
        stage, seconds, `tables` {table: {week: {rows, violations: {claim: rows that break it}}}} for every output that
        is a table, `counts` {week: {rows_in, removed: {filter: n}, rows_out, ...}}, `metrics` {name: number}.

    Raises:
        ValueError: there is no such stage, or the stage refuses its input; the message says what to do.
    """
    if plan["stage"] not in stages:
        raise ValueError(f"there is no stage {plan['stage']!r}: choose from {', '.join(stages)}")
    start = time.monotonic()
    for setting, value in SETTINGS.items():
        spark.conf.set(setting, value)
    outcome = stages[plan["stage"]](spark, plan)
    weeks = plan["parameters"]["weeks"]
    written = {table: audit(spark, table, plan["outputs"][table], weeks) for table in outcome["written"]}
    return {
        "stage": plan["stage"],
        "seconds": round(time.monotonic() - start, 1),
        "tables": {**written, **outcome.get("audited", {})},
        "counts": outcome["counts"],
        "metrics": outcome["metrics"],
    }
