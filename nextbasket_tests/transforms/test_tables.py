"""Files of tables: a write leaves the session as it was."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.utils import AnalysisException

from nextbasket_assets.transforms.tables import SETTINGS, read, write_in_order


def test_a_write_that_fails_leaves_the_sessions_settings(spark: SparkSession, tmp_path: Path) -> None:
    """A write in the rows' own order sets how files are written for itself alone, also when it fails."""
    setting = "spark.sql.maxConcurrentOutputFileWriters"
    with pytest.raises(AnalysisException, match="already exists"):
        write_in_order(read(spark, "staged_baskets", []), "staged_baskets", str(tmp_path))

    assert spark.conf.get(setting) == SETTINGS[setting]
