"""What is asked of EMR, where a wrong word costs money, memory or data."""

from typing import Any

import pytest

from nextbasket_assets.resources.emr.package import ENVIRONMENT_PYTHON, Package
from nextbasket_assets.resources.emr.requests import cluster_request, step_request
from nextbasket_assets.resources.emr.settings import EmrSettings

WORK = "s3://shop/emr"
CODE = Package(f"{WORK}/zip", f"{WORK}/stage.py", f"{WORK}/bootstrap.sh")


def request(*, on_demand: bool = False, **settings: Any) -> dict[str, Any]:
    chosen = EmrSettings(work=WORK, region="us-east-1", **settings)
    return cluster_request(chosen, CODE, "run", "s3://shop/lake", on_demand=on_demand)


@pytest.mark.parametrize(
    ("environment", "python"), [("", "/usr/bin/python3.11"), (f"{WORK}/environment.tar.gz", ENVIRONMENT_PYTHON)]
)
def test_a_step_runs_the_package_by_one_python(environment: str, python: str) -> None:
    """The zip for driver and workers, one Python on both, days of UTC; the driver is the step's own process."""
    chosen = EmrSettings(work=WORK, region="us-east-1", environment=environment)
    step = step_request(chosen, CODE, "audit", f"{WORK}/plan.json", f"{WORK}/report.json")

    assert step["ActionOnFailure"] == "CONTINUE"
    assert step["HadoopJarStep"]["Args"] == [
        *("spark-submit", "--master", "yarn", "--deploy-mode", "client", "--name", "nextbasket audit"),
        *("--py-files", f"{WORK}/zip"),
        *("--conf", f"spark.pyspark.python={python}", "--conf", f"spark.pyspark.driver.python={python}"),
        *("--conf", "spark.sql.session.timeZone=UTC", "--conf", "spark.sql.shuffle.partitions=64"),
        *(f"{WORK}/stage.py", f"{WORK}/plan.json", f"{WORK}/report.json"),
    ]


@pytest.mark.parametrize(
    ("spot", "on_demand", "target"),
    [
        (True, False, "TargetSpotCapacity"),
        (True, True, "TargetOnDemandCapacity"),
        (False, False, "TargetOnDemandCapacity"),
    ],
)
def test_nodes_are_spot_only_where_that_is_wished(spot: bool, on_demand: bool, target: str) -> None:
    """The setting, and machines that were taken away, ask for on demand; spot is waited for as long as the setting says."""
    _, core = request(spot=spot, on_demand=on_demand, core_units=3, spot_minutes=7)["Instances"]["InstanceFleets"]

    assert {name: core[name] for name in core if name.startswith("Target")} == {target: 3}
    wait = core.get("LaunchSpecifications", {}).get("SpotSpecification", {}).get("TimeoutDurationMinutes")
    assert wait == (7 if target == "TargetSpotCapacity" else None)


def test_each_node_has_its_own_machine_and_role() -> None:
    """The primary node is of its own types, EMR takes its own role and the nodes theirs, their disks as the settings say."""
    chosen = {"primary_types": ["a.large"], "core_types": ["b.large", "c.large"], "security_configuration": "disks"}
    asked = request(**chosen, service_role="of-emr", instance_profile="of-nodes")
    types = [
        [one["InstanceType"] for one in fleet["InstanceTypeConfigs"]] for fleet in asked["Instances"]["InstanceFleets"]
    ]

    assert types == [["a.large"], ["b.large", "c.large"]]
    assert (asked["ServiceRole"], asked["JobFlowRole"]) == ("of-emr", "of-nodes")
    assert asked["SecurityConfiguration"] == "disks"
    assert "SecurityConfiguration" not in request()


def test_a_cluster_waits_for_steps_and_lets_itself_be_ended() -> None:
    """It has no step when it is made, and nothing stands in the way of whoever ends it."""
    instances = request()["Instances"]

    assert instances["KeepJobFlowAliveWhenNoSteps"] is True
    assert instances["TerminationProtected"] is False


def test_spark_has_the_whole_of_a_node_and_the_key() -> None:
    """EMR sizes Spark's memory by the node; with a key every file that Spark writes is encrypted by it."""
    sized = {"Classification": "spark", "Properties": {"maximizeResourceAllocation": "true"}}
    encrypted = {
        "fs.s3.enableServerSideEncryption": "true",
        "fs.s3.serverSideEncryption.kms.keyId": "arn:key",
        "fs.s3.bucketKey.enabled": "true",
    }

    assert request()["Configurations"] == [sized]
    assert request(kms_key="arn:key")["Configurations"] == [
        sized,
        {"Classification": "emrfs-site", "Properties": encrypted},
    ]
