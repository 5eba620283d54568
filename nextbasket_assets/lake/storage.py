"""Where the lake's bytes are: a disk or an S3 bucket, written by the same call.

boto3's own chain (environment, profile, role) says which region and endpoint; nothing of it is kept or logged here. Of the
environment it reads AWS_DEFAULT_REGION, to which `definitions` and the commands hand AWS_REGION on (`tell_boto3`).
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlparse

import pyarrow.fs

from nextbasket_assets.crash_points import reach
from nextbasket_assets.errors import BAD_INPUT, NextbasketError


class PlaceError(NextbasketError, ValueError):
    """A place that is no folder and no bucket."""

    exit_code = BAD_INPUT


# S3 may say SlowDown for half a minute while it makes room for more requests: each way to it asks for about a minute.
_ATTEMPTS = 10  # of boto3 and Arrow, which wait up to 1, 2, 4, 8, 16, 20, 20, ... seconds between them
_DELTA_PATIENCE = {"max_retries": "20", "retry_timeout": "60s", "backoff_config.init_backoff": "1s"}
_NO_ANSWER = re.compile(
    "SLOW_DOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|REQUEST_TIMEOUT|NETWORK_CONNECTION|HTTP status 5[0-9]{2}"  # Arrow's words
    "|after [1-9][0-9]* retries"  # deltalake's
)
PARTIAL = ".partial"  # ends the name of a file on a disk that is not written yet; a killed run may leave one


class Disk:
    """Folders of this machine."""

    options: dict[str, str] | None = None  # deltalake needs none

    def __init__(self) -> None:
        self.filesystem = pyarrow.fs.LocalFileSystem()

    def put(self, path: str, data: bytes | BinaryIO) -> None:
        """Write a file: readers see what was there, or all of this. The folders above it need not exist."""
        reach("put")
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}{PARTIAL}")
        try:
            partial.write_bytes(data if isinstance(data, bytes) else data.read())
            reach("put")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        reach("put")


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket; paths start with its name.

    Attributes:
        kms_key: key that encrypts every object, with a bucket key; None leaves it to the bucket's own default.
    """

    kms_key: str | None = None

    @cached_property
    def client(self) -> Any:  # boto3 builds its clients at run time
        """The S3 client."""
        import boto3
        from botocore.config import Config

        retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
        return boto3.client("s3", config=Config(retries=retries, connect_timeout=10))

    @cached_property
    def _endpoint(self) -> str | None:
        url = str(self.client.meta.endpoint_url)
        return None if (urlparse(url).hostname or "").endswith(("amazonaws.com", "amazonaws.com.cn")) else url

    @cached_property
    def filesystem(self) -> pyarrow.fs.FileSystem:
        """Arrow's view."""
        return pyarrow.fs.S3FileSystem(
            region=self.client.meta.region_name,
            endpoint_override=self._endpoint,
            retry_strategy=pyarrow.fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        )

    @cached_property
    def options(self) -> dict[str, str] | None:
        """deltalake's view. Commits are conditional puts: of two writers of one version, S3 refuses the second."""
        options = {"aws_region": self.client.meta.region_name, "aws_conditional_put": "etag", **_DELTA_PATIENCE}
        if self._endpoint:
            allow_http = str(self._endpoint.startswith("http://")).lower()
            options |= {"aws_endpoint": self._endpoint, "aws_allow_http": allow_http}
        if self.kms_key:
            options |= {"aws_server_side_encryption": "aws:kms", "aws_sse_kms_key_id": self.kms_key}
            options |= {"aws_sse_bucket_key_enabled": "true"}
        return options

    def put(self, path: str, data: bytes | BinaryIO) -> None:
        """Write an object of at most 5 GB in one request: readers see what was there, or all of this."""
        bucket, key = path.split("/", 1)
        reach("put")
        self.client.put_object(Bucket=bucket, Key=key, Body=data, **encryption(self.kms_key))
        reach("put")


Storage = Disk | Bucket


def is_no_answer(error: Exception) -> bool:
    """Whether an error of Arrow or deltalake says that S3 gave no answer, however often it was asked.

    >>> is_no_answer(OSError("AWS Error SLOW_DOWN during ListObjectsV2 operation: Please reduce your request rate."))
    True
    >>> is_no_answer(OSError("AWS Error ACCESS_DENIED during ListObjectsV2 operation: No."))
    False
    """
    return _NO_ANSWER.search(str(error)) is not None


def encryption(kms_key: str | None) -> dict[str, Any]:
    """Arguments of an S3 put that ask for this key."""
    if kms_key is None:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key, "BucketKeyEnabled": True}


def storage_of(root: str, kms_key: str | None = None) -> tuple[Storage, str]:
    """The storage of an absolute folder or an s3:// URI, and the path of it there.

    Raises:
        PlaceError: another scheme.
    """
    if root.startswith("s3://"):
        return Bucket(kms_key), root.removeprefix("s3://").rstrip("/")
    if urlparse(root).scheme:
        raise PlaceError(f"{root}: a lake is an absolute folder or an s3://bucket/prefix. Correct NEXTBASKET_LAKE.")
    return Disk(), root.rstrip("/")
