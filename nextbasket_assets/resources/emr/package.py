"""What a cluster runs: the stages and all they import, in one zip that is the same bytes for the same code.

Successor of the original's tasks create_app_egg and upload_app_to_s3.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass

from nextbasket_assets.code_version import code_version, sources
from nextbasket_assets.lake.storage import encryption
from nextbasket_assets.resources.emr.calls import Aws, location

_MAIN = "nextbasket_assets/distributed/__main__.py"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in the zip
# On every node before Spark starts: the archive is the environment, and one of another machine's kind fails here; or the
# one library that pyspark.ml needs is installed. Arguments: the node's Python, the archive if there is one.
_BOOTSTRAP = """#!/bin/bash
set -euo pipefail
if [ -n "${2:-}" ]; then
  sudo mkdir -p /opt/nextbasket
  aws s3 cp "$2" - | sudo tar --extract --gzip --directory /opt/nextbasket
  /opt/nextbasket/bin/python -c ''
else
  sudo "$1" -m ensurepip --upgrade || true
  sudo "$1" -m pip install --quiet "numpy>=2,<3"
fi
"""
ENVIRONMENT_PYTHON = "/opt/nextbasket/bin/python"


@dataclass(frozen=True)
class Package:
    """Where the code is: the zip for --py-files, the script that spark-submit starts, the nodes' bootstrap script."""

    zip: str
    main: str
    bootstrap: str


def build() -> bytes:
    """The zip. No timestamps, no permissions, one order: equal code gives equal bytes on any machine."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sources().items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def upload(aws: Aws, work: str, kms_key: str | None) -> Package:
    """Put where clusters read it what is not there yet; each key has the digest of what it holds."""
    script = _BOOTSTRAP.encode()
    bootstrap = f"{work}/code/bootstrap-{hashlib.sha256(script).hexdigest()[:12]}.sh"
    folder = f"{work}/code/{code_version()}"
    package = Package(f"{folder}/nextbasket.zip", f"{folder}/stage.py", bootstrap)
    _put_once(aws, package.bootstrap, script, kms_key)
    _put_once(aws, package.main, sources()[_MAIN], kms_key)
    _put_once(aws, package.zip, build(), kms_key)
    return package


def _put_once(aws: Aws, uri: str, content: bytes, kms_key: str | None) -> None:
    """Put an object that nobody put before; one that is there stays."""
    from botocore.exceptions import ClientError

    if _exists(aws, uri):
        return
    try:
        aws.call("s3", "put_object", **location(uri), Body=content, IfNoneMatch="*", **encryption(kms_key or None))
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"PreconditionFailed", "412", "ConditionalRequestConflict"}:
            raise


def _exists(aws: Aws, uri: str) -> bool:
    found = aws.call("s3", "list_objects_v2", Bucket=location(uri)["Bucket"], Prefix=location(uri)["Key"], MaxKeys=1)
    return bool(found.get("KeyCount"))
