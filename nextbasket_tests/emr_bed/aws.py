"""The AWS APIs of this machine, as a fixture starts them, and the environment in which every client finds them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

REGION = "us-east-1"


def environment(url: str) -> dict[str, str]:
    """What boto3, Arrow and deltalake read; the credentials are made up."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def local_aws(*arguments: str) -> Iterator[str]:
    """Serve the APIs in a process of their own for the length of the block, with the environment pointing there; the URL."""
    command = [sys.executable, "-m", "nextbasket_tests.emr_bed.server", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            with mock.patch.dict(os.environ, environment(url)):
                yield url
        finally:
            process.stdin.close()  # it stops its steps and itself
            process.wait(timeout=30)


def objects(client: Any, bucket: str, prefix: str = "") -> list[str]:
    """Keys of a bucket."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", ())]
