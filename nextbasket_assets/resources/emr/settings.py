"""What may be chosen about EMR. Every field has an environment variable, NEXTBASKET_EMR_ and its name, read in `definitions`."""

from typing import Literal

import dagster as dg
from pydantic import Field


class EmrSettings(dg.Config):
    """How clusters are made, watched and paid for. Places are s3:// URIs."""

    work: str = Field(description="s3:// prefix for code, plans, reports and logs; a lifecycle rule may empty it.")
    region: str = Field(description="Where clusters and bucket are; AWS_REGION says it, too.")
    mode: Literal["cluster", "serverless"] = Field(default="cluster", description="A cluster per run, or Serverless.")
    release: str = Field(
        default="emr-7.13.0", description="EMR release; its Spark must be of the line in requirements.lock, 3.5."
    )
    python: str = Field(default="/usr/bin/python3.11", description="Python on the nodes: 3.11 is in every release.")
    environment: str = Field(
        default="", description="s3:// archive (tar.gz) of a Python; empty: `python`, on clusters."
    )
    score_on_spark: bool = Field(
        default=False, description="Customers are scored on the nodes, whose `environment` then needs torch."
    )
    service_role: str = Field(default="EMR_DefaultRole", description="Role that EMR itself takes.")
    instance_profile: str = Field(default="EMR_EC2_DefaultRole", description="Role of the nodes.")
    subnets: list[str] = Field(default=[], description="Subnets that may hold the cluster; EMR takes the cheapest.")
    security_configuration: str = Field(default="", description="EMR security configuration, for encryption on disks.")
    primary_types: list[str] = Field(default=["m6a.xlarge", "m5.xlarge"], description="For the primary node.")
    core_types: list[str] = Field(
        default=["m6a.xlarge", "m6i.xlarge", "m5.xlarge", "m5a.xlarge"],
        description="For the nodes that work; more types, more spot capacity.",
    )
    core_units: int = Field(default=2, ge=1, description="Nodes that work.")
    spot: bool = Field(default=True, description="Spot for the nodes that work; on demand when there is none in time.")
    spot_minutes: int = Field(default=10, ge=5, le=1440, description="Minutes to wait for spot capacity.")
    step_concurrency: int = Field(default=1, ge=1, le=256, description="Steps at a time on a cluster.")
    cluster_id: str = Field(
        default="", description="A cluster that is there and stays; empty: one per run, ended with it."
    )
    idle_minutes: int = Field(
        default=10, ge=1, le=10080, description="An idle cluster ends itself, whoever forgot it; EMR allows seven days."
    )
    max_hours: float = Field(
        default=6.0,
        gt=0,
        lt=8,
        description="A run's stages take at most this long together; after eight hours Dagster ends the run.",
    )
    poll_seconds: float = Field(default=10.0, gt=0, description="Between two looks at a step.")
    patience_minutes: float = Field(
        default=15.0, ge=0, description="How long AWS may throttle, fail or refuse before we do."
    )
    ending_minutes: float = Field(
        default=10.0, ge=0, description="How long ending a cluster may take; after it, idle policy and reaper must do."
    )
    capacity_retries: int = Field(default=2, ge=0, description="New clusters, on demand, after capacity was lost.")
    capacity_wait_seconds: float = Field(default=60.0, ge=0, description="Before such a new cluster.")
    usd_per_node_hour: float = Field(
        default=0.22, ge=0, description="For the estimate: EC2 on demand and EMR, one node."
    )
    application_id: str = Field(default="", description="EMR Serverless: the application.")
    job_role_arn: str = Field(default="", description="EMR Serverless: the role of the jobs.")
    usd_per_vcpu_hour: float = Field(default=0.052624, ge=0, description="EMR Serverless, for the estimate.")
    usd_per_gb_hour: float = Field(default=0.0057785, ge=0, description="EMR Serverless, for the estimate.")
    kms_key: str = Field(
        default="", description="Key that encrypts what is written; NEXTBASKET_KMS_KEY sets it everywhere."
    )
