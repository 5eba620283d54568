"""The requests: what we ask of EMR, as plain data. Successors of the original's EmrCreateJobFlow and EmrAddSteps."""

from typing import Any

from nextbasket_assets.resources.emr.package import ENVIRONMENT_PYTHON, Package
from nextbasket_assets.resources.emr.settings import EmrSettings

RUN_TAG, LAKE_TAG = "nextbasket/run_id", "nextbasket/lake"


def cluster_name(run_id: str) -> str:
    """Name of a run's cluster."""
    return f"nextbasket {run_id}"


def cluster_request(
    settings: EmrSettings, package: Package, run_id: str, lake: str, *, on_demand: bool
) -> dict[str, Any]:
    """Arguments of run_job_flow: a cluster without steps, that stays until it is ended or idle."""
    request: dict[str, Any] = {
        "Name": cluster_name(run_id),
        "ReleaseLabel": settings.release,
        "Applications": [{"Name": "Spark"}],
        "LogUri": f"{settings.work}/logs/",  # EMR joins the cluster's id without a slash
        "ServiceRole": settings.service_role,
        "JobFlowRole": settings.instance_profile,
        "VisibleToAllUsers": True,
        "StepConcurrencyLevel": settings.step_concurrency,
        "AutoTerminationPolicy": {"IdleTimeout": settings.idle_minutes * 60},
        "Tags": [
            {"Key": RUN_TAG, "Value": run_id},
            {"Key": LAKE_TAG, "Value": lake},
            {"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"},  # EMR's own role may only touch these
        ],
        "Configurations": _configurations(settings),
        "BootstrapActions": [
            {
                "Name": "python",
                "ScriptBootstrapAction": {
                    "Path": package.bootstrap,
                    "Args": [settings.python, *([settings.environment] if settings.environment else [])],
                },
            }
        ],
        "Instances": {
            "KeepJobFlowAliveWhenNoSteps": True,
            "TerminationProtected": False,
            "InstanceFleets": [
                _fleet("MASTER", settings.primary_types, 1, spot=False, minutes=settings.spot_minutes),
                _fleet(
                    "CORE",
                    settings.core_types,
                    settings.core_units,
                    spot=settings.spot and not on_demand,
                    minutes=settings.spot_minutes,
                ),
            ],
            **({"Ec2SubnetIds": list(settings.subnets)} if settings.subnets else {}),
        },
    }
    if settings.security_configuration:
        request["SecurityConfiguration"] = settings.security_configuration
    return request


def _fleet(kind: str, types: list[str], units: int, *, spot: bool, minutes: int) -> dict[str, Any]:
    fleet: dict[str, Any] = {
        "Name": kind.lower(),
        "InstanceFleetType": kind,
        "TargetSpotCapacity" if spot else "TargetOnDemandCapacity": units,
        "InstanceTypeConfigs": [{"InstanceType": name, "WeightedCapacity": 1} for name in types],
    }
    if spot:
        fleet["LaunchSpecifications"] = {
            "SpotSpecification": {
                "TimeoutDurationMinutes": minutes,
                "TimeoutAction": "SWITCH_TO_ON_DEMAND",
                "AllocationStrategy": "price-capacity-optimized",
            }
        }
    return fleet


def _configurations(settings: EmrSettings) -> list[dict[str, Any]]:
    encrypted = encryption_properties(settings)
    return [
        {"Classification": "spark", "Properties": {"maximizeResourceAllocation": "true"}},
        *([{"Classification": "emrfs-site", "Properties": encrypted}] if encrypted else []),
    ]


def encryption_properties(settings: EmrSettings) -> dict[str, str]:
    """What the S3 client of EMR's Spark is told of the key, with which a stage's files are written; empty without one."""
    if not settings.kms_key:
        return {}
    return {
        "fs.s3.enableServerSideEncryption": "true",
        "fs.s3.serverSideEncryption.kms.keyId": settings.kms_key,
        "fs.s3.bucketKey.enabled": "true",
    }


def spark_arguments(confs: dict[str, str]) -> list[str]:
    """--conf arguments of a stage: those of its place, and what holds in every place."""
    everywhere = {"spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "64"}
    return [argument for name, value in {**confs, **everywhere}.items() for argument in ("--conf", f"{name}={value}")]


def step_request(settings: EmrSettings, package: Package, stage: str, plan: str, report: str) -> dict[str, Any]:
    """One step of add_job_flow_steps: spark-submit of one stage. A failed step leaves the cluster to the run."""
    python = ENVIRONMENT_PYTHON if settings.environment else settings.python
    confs = {"spark.pyspark.python": python, "spark.pyspark.driver.python": python}
    return {
        "Name": stage,
        "ActionOnFailure": "CONTINUE",
        "HadoopJarStep": {
            "Jar": "command-runner.jar",
            "Args": [
                *("spark-submit", "--master", "yarn", "--deploy-mode", "client", "--name", f"nextbasket {stage}"),
                *("--py-files", package.zip, *spark_arguments(confs)),
                *(package.main, plan, report),
            ],
        },
    }


def cluster_link(region: str, cluster_id: str) -> str:
    """The cluster's page in the AWS console."""
    return f"https://{region}.console.aws.amazon.com/emr/home?region={region}#/clusterDetails/{cluster_id}"
