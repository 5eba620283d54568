"""What went wrong on AWS, as a run shows it: what, why, what to do; only lost capacity is worth another try."""

import gzip
from dataclasses import dataclass
from typing import Any

import dagster as dg

from nextbasket_assets.resources.emr.calls import Aws

_TAIL_LINES = 30
_CAPACITY = (
    *("insufficient capacity", "insufficientinstancecapacity", "spot instance", "spot capacity", "spot request"),
    *("capacity-not-available", "instance_failure", "instance failure", "terminated by amazon ec2", "ec2 is out of"),
    "instance_fleet_timeout",
)
_REFUSED = ("permission", "not authorized", "service-linked role")  # AWS names what it refuses: "EC2 Spot Instances"


@dataclass(frozen=True)
class Job:
    """A stage that was submitted.

    Attributes:
        id: step id, or job run id.
        where: what runs it, for people: "step s-1 of cluster j-1".
        link: its page in the AWS console.
        logs: s3:// prefix of its stdout.gz and stderr.gz.
    """

    id: str
    where: str
    link: str
    logs: str


@dataclass(frozen=True)
class State:
    """What AWS says about a job.

    Attributes:
        name: RUNNING, COMPLETED, FAILED, ... in AWS's own words.
        reason: why, in AWS's own words, or empty.
        over: nothing will change any more.
        good: it ended, and well.
        gone: the cluster went away with it.
    """

    name: str
    reason: str
    over: bool = False
    good: bool = False
    gone: bool = False


def is_capacity(reason: str) -> bool:
    """Whether this reason means that machines were missing or taken away, not that something is wrong."""
    said = reason.lower()
    return any(words in said for words in _CAPACITY) and not any(words in said for words in _REFUSED)


def failure(stage: str, job: Job, state: State, why: str, tail: str) -> dg.Failure:
    """The failure of a stage. It is not retried: the same code on the same files fails again."""
    reason = f" ({state.reason})" if state.reason else ""
    text = f"{stage}: {job.where} is {state.name}{reason}. {why}"
    metadata: dict[str, Any] = {
        "console": dg.MetadataValue.url(job.link),
        "state": state.name,
        "reason": state.reason or "none given",
        "logs": job.logs,
    }
    if tail:
        metadata["stderr"] = dg.MetadataValue.md(f"```\n{tail}\n```")
        text = f"{text} The end of its stderr:\n{tail}"
    return dg.Failure(text, metadata=metadata, allow_retries=False)


def stderr_tail(aws: Aws, logs: str) -> str:
    """The last lines of a job's stderr; empty when EMR has not delivered it (it may take minutes)."""
    for name in ("stderr.gz", "stdout.gz"):
        try:
            lines = gzip.decompress(aws.read(f"{logs}/{name}")).decode(errors="replace").rstrip().splitlines()
        except Exception:  # the log is a help; that it is not there, or only a part of it, is no second failure
            continue
        if lines:
            return "\n".join(lines[-_TAIL_LINES:])
    return ""
