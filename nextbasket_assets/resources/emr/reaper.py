"""Clusters that outlived their run: found by their tags, ended, and named."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.cluster import EndError, living
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

    Raises:
        EndError: some could not be ended; the others are.
    """
    ended: list[Orphan] = []
    refused: dict[str, Exception] = {}
    for orphan in [orphan for cluster in _living(aws) if (orphan := _orphan(aws, cluster, lake, over))]:
        try:
            aws.call("emr", "terminate_job_flows", JobFlowIds=[orphan.cluster])
            ended.append(orphan)
        except Exception as error:
            refused[orphan.cluster] = error
    if refused:
        named = ", ".join(f"{cluster} ({error})" for cluster, error in refused.items())
        raise EndError(
            f"not ended, though their runs are over: {named}. Ended: "
            f"{', '.join(orphan.cluster for orphan in ended) or 'none'}. The next look tries again; to end them now: "
            f"aws emr terminate-clusters --cluster-ids {' '.join(refused)}"
        ) from next(iter(refused.values()))
    return ended


def _living(aws: Aws) -> list[str]:
    listed = living(partial(aws.call, "emr"))
    return [cluster["Id"] for cluster in listed if cluster["Name"].startswith(cluster_name(""))]


def _orphan(aws: Aws, cluster: str, lake: str, over: Callable[[str], str | None]) -> Orphan | None:
    tags = _tags(aws, cluster)
    run_id = tags.get(RUN_TAG, "")
    why = over(run_id) if run_id and tags.get(LAKE_TAG) == lake else None
    return Orphan(cluster, run_id, why) if why else None


def _tags(aws: Aws, cluster: str) -> dict[str, str]:
    """Tags of a cluster; none of one that we may not look at, for our role may look at all that have our lake's tag."""
    from botocore.exceptions import ClientError

    try:
        described = aws.call("emr", "describe_cluster", ClusterId=cluster)["Cluster"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in {"AccessDenied", "AccessDeniedException"}:
            return {}
        raise
    return {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())}
