"""What moto's EMR lacks for a worker: clusters that start, steps that wait, reasons, cancelled steps, the whole request."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import moto.emrserverless.models
from moto.core.responses import ActionResult
from moto.emr.models import Cluster, Step
from moto.emr.responses import ElasticMapReduceResponse

ACCOUNT = "123456789012"


@contextmanager
def patched() -> Iterator[None]:
    """moto with those, for the length of the block."""
    run_job_flow = ElasticMapReduceResponse.run_job_flow

    def keep_request(response: Any) -> Any:
        known = set(response.backend.clusters)
        answer = run_job_flow(response)
        for cluster_id in set(response.backend.clusters) - known:
            response.backend.clusters[cluster_id].request = json.loads(response.body)
        return answer

    with ExitStack() as patches:
        for target, name, value in (
            (ElasticMapReduceResponse, "run_job_flow", keep_request),
            (ElasticMapReduceResponse, "cancel_steps", _cancel_steps),
            (Cluster, "run_bootstrap_actions", lambda cluster: None),  # it stays STARTING until the worker looks
            (Cluster, "add_steps", _add_steps),
            (Cluster, "status", property(_status)),
            (Step, "status", property(_status)),
            (moto.emrserverless.models, "JOB_STATUS", "SUBMITTED"),
        ):
            patches.enter_context(mock.patch.object(target, name, value, create=True))
        yield


def _status(thing: Any) -> dict[str, Any]:
    reason = {"Code": getattr(thing, "code", None), "Message": getattr(thing, "message", None)}
    return {"State": thing.state, "StateChangeReason": reason, "Timeline": {}}


def _add_steps(cluster: Any, steps: list[dict[str, Any]]) -> list[Step]:
    added = [Step(state="PENDING", **step) for step in steps]
    cluster.steps.extend(added)
    return added


def _cancel_steps(response: Any) -> Any:
    asked = json.loads(response.body)
    for step in response.backend.clusters[asked["ClusterId"]].steps:
        if step.id in asked["StepIds"]:
            step.state = "CANCELLED"
    return ActionResult({"CancelStepsInfoList": [{"StepId": one, "Status": "SUBMITTED"} for one in asked["StepIds"]]})
