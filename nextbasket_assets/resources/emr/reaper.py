"""Clusters that outlived their run: found by their tags, ended, and named."""

from collections.abc import Callable
from dataclasses import dataclass

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.cluster import ACTIVE
from nextbasket_assets.resources.emr.requests import LAKE_TAG, RUN_TAG, cluster_name


@dataclass(frozen=True)
class Orphan:
    """A cluster whose run is over, and how it is over."""

    cluster: str
    run_id: str
    why: str


def reap(aws: Aws, lake: str, over: Callable[[str], str | None]) -> list[Orphan]:
    """End every living cluster of this lake whose run is over.

    Args:
        aws: how EMR is reached.
        lake: root of the lake; clusters of another platform in the same account are not ours.
        over: why a run is over; None while it is not.
    """
    found = [orphan for cluster in _living(aws) if (orphan := _orphan(aws, cluster, lake, over))]
    if found:
        aws.call("emr", "terminate_job_flows", JobFlowIds=[orphan.cluster for orphan in found])
    return found


def _living(aws: Aws) -> list[str]:
    ids: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = aws.call("emr", "list_clusters", ClusterStates=ACTIVE, **marker)
        ids += [cluster["Id"] for cluster in page["Clusters"] if cluster["Name"].startswith(cluster_name(""))]
        if not page.get("Marker"):
            return ids
        marker = {"Marker": page["Marker"]}


def _orphan(aws: Aws, cluster: str, lake: str, over: Callable[[str], str | None]) -> Orphan | None:
    tags = {
        tag["Key"]: tag["Value"]
        for tag in aws.call("emr", "describe_cluster", ClusterId=cluster)["Cluster"].get("Tags", ())
    }
    run_id = tags.get(RUN_TAG, "")
    why = over(run_id) if run_id and tags.get(LAKE_TAG) == lake else None
    return Orphan(cluster, run_id, why) if why else None
