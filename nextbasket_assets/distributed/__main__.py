"""`spark-submit __main__.py PLAN.json REPORT.json`, or `python -m nextbasket_assets.distributed PLAN.json REPORT.json`.

What a cluster runs: one stage, from a plan, its report written where the orchestrator reads it. Paths may be s3://.
"""

import json
import sys

from pyspark.sql import SparkSession

from nextbasket_assets.distributed.stages import run
from nextbasket_assets.transforms.files import read_text, write_text
from nextbasket_assets.transforms.progress import Progress


def main(spark: SparkSession, plan_uri: str, report_uri: str) -> None:
    """Run the plan at `plan_uri` and write its report to `report_uri`, which must not exist yet.

    What it says meanwhile goes to `report_uri`.log/. A plan with `limit_seconds` ends itself after them.
    """
    plan = json.loads(read_text(spark, plan_uri))
    with Progress(spark, f"{report_uri}.log", plan.pop("limit_seconds", None)):
        report = run(spark, plan)
        write_text(spark, report_uri, json.dumps(report, indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m nextbasket_assets.distributed PLAN.json REPORT.json")
    with SparkSession.builder.appName("nextbasket").getOrCreate() as session:
        main(session, *sys.argv[1:])
