"""The local Spark is the one that came with the packages, whatever the user's environment says of others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WORK = """
import sys
from nextbasket_assets.resources.spark import LocalSparkResource
session = LocalSparkResource(master="local[1]", driver_memory="512m", java_options="-XX:TieredStopAtLevel=1").session()
session.range(3).write.parquet(sys.argv[1])
print(session.read.parquet(sys.argv[1]).count(), session.version)
"""


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
