"""The local Spark is the one that came with the packages, whatever the environment says; reports of weeks become one."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from nextbasket_assets.resources.spark import LocalSparkResource, StageReport, merged

WORK = """
import sys
from nextbasket_assets.resources.spark import LocalSparkResource
session = LocalSparkResource(master="local[1]", driver_memory="512m", java_options="-XX:TieredStopAtLevel=1").session()
session.range(3).write.parquet(sys.argv[1])
print(session.read.parquet(sys.argv[1]).count(), session.version)
"""

ONE, TWO = date(2006, 4, 10), date(2006, 4, 17)


def report(week: date, seconds: float, broken: int) -> StageReport:
    """What a stage says of one week of three rows."""
    table = {week.isoformat(): {"rows": 3, "violations": {"a claim": broken}}}
    return StageReport("audit", seconds, {"staged_baskets": table}, {week.isoformat(): {"rows_in": 3}}, {}, {"at": "x"})


def test_reports_of_several_weeks_are_one() -> None:
    """Seconds and offending rows are summed over the weeks, and no week takes another one's place."""
    found = merged([report(ONE, 1.0, 2), report(TWO, 2.5, 5)])

    assert (found.stage, found.seconds, found.place) == ("audit", 3.5, {"at": "x"})
    assert [found.rows("staged_baskets", week) for week in (ONE, TWO, date(2006, 4, 24))] == [3, 3, 0]
    assert found.violations("staged_baskets", [ONE, TWO]) == {"a claim": 7}
    assert found.violations("staged_baskets", [TWO]) == {"a claim": 5}
    assert set(found.counts) == {"2006-04-10", "2006-04-17"}


def test_numbers_of_several_reports_stay() -> None:
    """A stage in two parts tells the numbers of both."""
    parts = [StageReport("audit", 1.0, {}, {}, {name: 1}) for name in ("first", "second")]

    assert merged(parts).metrics == {"first": 1, "second": 1}


def test_the_jvm_has_the_memory_and_the_flags_that_were_chosen() -> None:
    """Local stages run in the driver: its heap is the setting, its days are UTC's, and nobody reaches it from outside."""
    local = LocalSparkResource(master="local[2]", driver_memory="5g", java_options="-Xss4m")
    chosen = local._configuration("a folder without a Java")

    assert (chosen["spark.master"], chosen["spark.driver.memory"]) == ("local[2]", "5g")
    assert chosen["spark.driver.extraJavaOptions"] == "-Xss4m"
    assert chosen["spark.sql.session.timeZone"] == "UTC"
    assert chosen["spark.sql.parquet.outputTimestampType"] == "TIMESTAMP_MICROS"
    assert chosen["spark.driver.host"] == chosen["spark.driver.bindAddress"] == "127.0.0.1"
    assert chosen["spark.ui.enabled"] == "false"


@pytest.mark.slow
def test_another_spark_of_this_machine_does_not_matter(tmp_path: Path) -> None:
    """No Spark in SPARK_HOME, a Hadoop and a Spark set up for a cluster: it starts, and a path is a path of this disk."""
    hadoop = "<configuration><property><name>fs.defaultFS</name><value>hdfs://nowhere:8020</value></property></configuration>"
    (tmp_path / "core-site.xml").write_text(hadoop)
    (tmp_path / "spark-defaults.conf").write_text(
        "spark.hadoop.fs.defaultFS hdfs://nowhere:8020\nspark.extraListeners no.Such"
    )
    folders = dict.fromkeys(("HADOOP_CONF_DIR", "YARN_CONF_DIR", "SPARK_CONF_DIR"), str(tmp_path))
    environment = {**os.environ, **folders, "SPARK_HOME": str(tmp_path / "no spark")}
    command = [sys.executable, "-c", WORK, str(tmp_path / "rows")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert ran.stdout.split()[:1] == ["3"], ran.stderr[-2000:]
    assert list((tmp_path / "rows").glob("*.parquet"))
