"""What a run shows of a failure on AWS, and which reasons are worth other machines."""

import gzip
from types import SimpleNamespace
from typing import cast

import pytest

from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.failures import Job, State, failure, is_capacity, stderr_tail


def logs(**files: bytes) -> Aws:
    """An AWS of these logs."""
    return cast(Aws, SimpleNamespace(read=lambda uri: gzip.compress(files[uri.rsplit("/", 1)[-1].removesuffix(".gz")])))


def test_stderr_is_shown_before_stdout() -> None:
    """Where both are there the error is in stderr; bytes that are no text hide nothing."""
    assert stderr_tail(logs(stdout=b"rows", stderr=b"ValueError: \xff\n"), "s3://shop/logs") == "ValueError: \ufffd"
    assert stderr_tail(logs(stdout=b"rows", stderr=b"\n"), "s3://shop/logs") == "rows"


def test_a_failure_is_not_tried_again() -> None:
    """The same code on the same files fails again, whatever an asset's retry policy says."""
    assert failure("audit", Job("s-1", "step s-1", "", ""), State("FAILED", ""), "Why.", "").allow_retries is False


@pytest.mark.parametrize(
    ("reason", "capacity"),
    [
        ("InsufficientInstanceCapacity: no m5.xlarge in us-east-1a", True),
        ("EC2 is out of capacity for m5.xlarge", True),
        ("Your Spot request was rejected", True),
        ("The Spot Instance was terminated", True),
        ("Instance i-1 was terminated by Amazon EC2", True),
        ("capacity-not-available", True),
        ("VALIDATION_ERROR: The subnet does not exist", False),
        ("BOOTSTRAP_FAILURE: bootstrap action 1 returned a non-zero return code", False),
        (
            "The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances",
            False,
        ),
        ("VALIDATION_ERROR: this role is not authorized to make a Spot request", False),
        ("VALIDATION_ERROR: the service-linked role for Spot Instances is missing", False),
        ("", False),
    ],
)
def test_only_machines_that_are_missing_are_asked_for_again(reason: str, capacity: bool) -> None:
    """AWS says in many words that it has no machine, or took one; what is wrong with a request, or not allowed, stays so."""
    assert is_capacity(reason) is capacity
