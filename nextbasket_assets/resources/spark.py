"""Spark: the only way an asset reaches it is `run`, which takes paths and gives a report.

Locally a stage runs in this process, on one session that lives as long as the process; on EMR see `resources.emr.spark`.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from nextbasket_assets.resources import class_archive
from nextbasket_assets.resources.java import java_home

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class StageReport:
    """What a stage did.

    Attributes:
        stage: its name.
        seconds: wall time.
        tables: table -> week -> {"rows": n, "violations": {claim: offending rows}}, counted on the written files.
        counts: week -> {"rows_in": n, "removed": {filter: n}, "rows_out": n}; rows_in = rows_out + sum(removed).
        metrics: numbers of the stage as a whole.
        place: where it ran and what that cost, when it was not here.
    """

    stage: str
    seconds: float
    tables: Mapping[str, Mapping[str, Any]]
    counts: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, Any]
    place: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, table: str, week: date) -> int:
        """Rows that the stage wrote for a week."""
        return int(self.tables[table].get(week.isoformat(), {}).get("rows", 0))

    def violations(self, table: str, weeks: Sequence[date]) -> dict[str, int]:
        """Offending rows per claim, summed over the weeks."""
        total: dict[str, int] = {}
        for week in weeks:
            for claim, count in self.tables[table].get(week.isoformat(), {}).get("violations", {}).items():
                total[claim] = total.get(claim, 0) + int(count)
        return total


def merged(reports: Sequence[StageReport]) -> StageReport:
    """Reports of one stage over different weeks, as one."""
    tables: dict[str, dict[str, Any]] = {}
    counts: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    place: dict[str, Any] = {}
    for report in reports:
        counts |= report.counts
        metrics |= report.metrics
        place |= report.place
        for table, weeks in report.tables.items():
            tables.setdefault(table, {}).update(weeks)
    stages = "".join(sorted({report.stage for report in reports}))
    return StageReport(stages, sum(report.seconds for report in reports), tables, counts, metrics, place)


class SparkResource(dg.ConfigurableResource):
    """Runs stages somewhere.

    Attributes:
        score_on_spark: customers are scored by a stage, on Spark's workers, and not by torch in the run's own process.
    """

    score_on_spark: bool = False

    def run(
        self,
        stage: str,
        inputs: Mapping[str, Sequence[str]],
        outputs: Mapping[str, str],
        **parameters: Any,
    ) -> StageReport:
        """Run one stage: files in, fresh folders out.

        Args:
            stage: name of the stage in `distributed.stages`.
            inputs: table -> URIs of its data files.
            outputs: table -> URI of a folder that does not exist yet.
            parameters: JSON values.
        """
        raise NotImplementedError


class LocalSparkResource(SparkResource):
    """Runs stages on a local Spark.

    Attributes:
        master: Spark master; results do not depend on the number of cores.
        driver_memory: heap of the JVM, for example "3g".
        java_options: flags of the JVM; ParallelGC saves a fifth of a local run.
    """

    master: str = "local[*]"
    driver_memory: str = "3g"
    java_options: str = "-XX:+UseParallelGC"

    def run(
        self, stage: str, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str], **parameters: Any
    ) -> StageReport:
        """Run one stage in this process."""
        from nextbasket_assets.distributed import stages

        plan = {
            "stage": stage,
            "inputs": {table: list(files) for table, files in inputs.items()},
            "outputs": dict(outputs),
            "parameters": parameters,
        }
        return StageReport(**stages.run(self.session(), plan))

    def session(self) -> "SparkSession":
        """The process's Spark session; started on the first call (seconds)."""
        import pyspark
        from dagster_pyspark import LazyPySparkResource

        os.environ["JAVA_HOME"] = java = java_home()
        # A Spark or Hadoop that this machine has besides would start instead, or say where files are.
        os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).resolve().parent)
        for name in ("SPARK_CONF_DIR", "HADOOP_CONF_DIR", "YARN_CONF_DIR"):
            os.environ.pop(name, None)
        os.environ["PYSPARK_PYTHON"] = sys.executable
        os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
        session: SparkSession = LazyPySparkResource(spark_config=self._configuration(java)).spark_session
        return session

    def close(self) -> None:
        """End the process's session and its JVM, and return when both are gone."""
        from pyspark import SparkContext

        self.session().stop()
        gateway: Any = SparkContext._gateway
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
        SparkContext._gateway = SparkContext._jvm = None

    def _configuration(self, java: str) -> dict[str, str]:
        archive = "" if class_archive.FLAG in self.java_options else class_archive.flags(java)
        return {
            "spark.master": self.master,
            "spark.app.name": "nextbasket",
            "spark.log.level": "ERROR",
            "spark.sql.debug.maxToStringFields": "1000",
            "spark.hadoop.fs.defaultFS": "file:///",
            "spark.driver.memory": self.driver_memory,
            "spark.driver.extraJavaOptions": f"{self.java_options} {archive}".strip(),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "8",
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
            "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
        }
