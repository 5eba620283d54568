"""Steps that are really executed: spark-submit on this machine, `s3://` mapped to a mirror of the buckets.

Hadoop's own ViewFileSystemOverloadScheme maps a bucket to a folder, since hadoop-aws is in no package registry. The mirror
is brought up to date before a step, and what the step wrote is uploaded while and after it runs.
"""

import gzip
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlparse

import pyspark

from nextbasket_assets.resources import class_archive
from nextbasket_assets.resources.emr.package import ENVIRONMENT_PYTHON
from nextbasket_assets.resources.java import java_home
from nextbasket_tests.small_spark import QUICK

# The Pythons of an emr-7 node that have what the stages import: its own 3.11 and the one that the bootstrap action unpacks.
# The default one, python3, is 3.9 there.
PYTHONS = {"/usr/bin/python3.11": sys.executable, ENVIRONMENT_PYTHON: sys.executable}
_DROPPED = ("--master", "--deploy-mode")
_OVERLOAD = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"


class Mirror:
    """The buckets as folders of this machine."""

    def __init__(self, client: Any, root: Path) -> None:
        self._client, self.root = client, root
        self._etags: dict[Path, str] = {}
        self._sizes: dict[Path, tuple[int, int]] = {}

    def buckets(self) -> list[str]:
        return [bucket["Name"] for bucket in self._client.list_buckets()["Buckets"]]

    def pull(self) -> None:
        """Make the folders what the buckets are."""
        for bucket in self.buckets():
            (self.root / bucket).mkdir(parents=True, exist_ok=True)
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            listed = [item for page in pages for item in page.get("Contents", ()) if not item["Key"].endswith("/")]
            found = {self.root / bucket / item["Key"]: item for item in listed}
            for path in [path for path in (self.root / bucket).rglob("*") if path.is_file() and path not in found]:
                path.unlink()
            for path, item in found.items():
                if self._etags.get(path) != item["ETag"]:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    self._client.download_file(bucket, item["Key"], str(path))
                    self._etags[path], self._sizes[path] = item["ETag"], _state(path)

    def push(self) -> None:
        """Upload what was written since; a report goes last."""
        self._upload([path for path in self.root.rglob("*") if path.is_file()])

    def push_lines(self, folder: str) -> None:
        """Upload what a running stage has said in a folder. A line comes to S3 as a whole: an empty one is being written."""
        self._upload([path for path in Path(folder).glob("*") if path.stat().st_size])

    def _upload(self, files: list[Path]) -> None:
        states = {path: _state(path) for path in files if path.suffix != ".crc" and "_temporary" not in path.parts}
        new = [path for path, state in states.items() if self._sizes.get(path) != state]
        for path in sorted(new, key=lambda path: (path.name == "report.json", path)):
            bucket, *key = path.relative_to(self.root).parts
            self._client.upload_file(str(path), bucket, "/".join(key))
            self._sizes[path], self._etags[path] = states[path], "ours"

    def local(self, uri: str) -> str:
        """The mirror's path of an object."""
        parsed = urlparse(uri)
        return str(self.root / parsed.netloc / parsed.path.lstrip("/")) if parsed.scheme == "s3" else uri


def _state(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns


@dataclass
class SparkSubmit:
    """One running step."""

    process: subprocess.Popen[bytes]
    mirror: Mirror
    client: Any
    lines: str
    logs: str
    output: dict[str, IO[bytes]]

    def poll(self) -> tuple[bool, str] | None:
        code = self.process.poll()
        self.mirror.push_lines(self.lines)
        if code is None:
            return None
        if code == 0:
            self.mirror.push()
        place = urlparse(self.logs)
        for name, stream in self.output.items():
            stream.seek(0)
            body = gzip.compress(stream.read())
            self.client.put_object(Bucket=place.netloc, Key=f"{place.path[1:]}/{name}.gz", Body=body)
        return code == 0, "" if code == 0 else f"Unknown Error. (exit code {code})"

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Submitter:
    """Starts steps.

    Attributes:
        client: S3 of the emulator.
        folder: for the mirror and the output of steps.
        hang: steps do nothing instead, for an hour.
    """

    client: Any
    folder: Path
    hang: bool = False

    def __call__(self, step_id: str, arguments: list[str], logs: str) -> SparkSubmit:
        mirror = Mirror(self.client, self.folder / f"mirror-{step_id}")
        mirror.pull()
        output = {}
        for name in ("stdout", "stderr"):
            path = self.folder / f"{step_id}.{name}"
            output[name] = path.open("w+b")
        process = subprocess.Popen(
            ["sleep", "3600"] if self.hang else command(arguments, mirror),
            stdout=output["stdout"],
            stderr=output["stderr"],
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=_environment(),
        )
        return SparkSubmit(process, mirror, self.client, mirror.local(f"{arguments[-1]}.log"), logs, output)


def command(arguments: list[str], mirror: Mirror) -> list[str]:
    """The step's own arguments, for this machine: no YARN, local copies of the code, its Python by the node's path."""
    assert arguments[0] == "spark-submit"
    submit = str(Path(pyspark.__file__).parent / "bin" / "spark-submit")
    ours, rest = [submit, "--master", "local[2]", *_confs(mirror)], list(arguments[1:])
    while rest:
        word = rest.pop(0)
        if word in _DROPPED:
            rest.pop(0)
        elif word == "--conf" and rest[0].startswith("spark.sql.shuffle.partitions="):
            rest.pop(0)  # as many as a cluster's cores want
        elif word == "--py-files":
            ours += [word, mirror.local(rest.pop(0))]
        elif word == "--conf" and rest[0].split("=")[0] in ("spark.pyspark.python", "spark.pyspark.driver.python"):
            name, python = rest.pop(0).split("=", 1)
            ours += [word, f"{name}={PYTHONS.get(python, f'{python}-is-not-on-this-node')}"]
        elif word.startswith("--"):
            ours += [word, rest.pop(0)]
        else:
            return [*ours, mirror.local(word), *rest]
    raise AssertionError("a step without a script")


def _confs(mirror: Mirror) -> list[str]:
    confs = {
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": f"{QUICK} {class_archive.flags(java_home())}",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.hadoop.fs.s3.impl": _OVERLOAD,
        **{
            f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback": f"file://{mirror.root / bucket}"
            for bucket in mirror.buckets()
        },
    }
    return [argument for name, value in confs.items() for argument in ("--conf", f"{name}={value}")]


def _environment() -> dict[str, str]:
    """A node's environment: no credentials of the orchestrator, no copy of our code on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "NEXTBASKET"))}
    return {**kept, "JAVA_HOME": java_home(), "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONSAFEPATH": "1"}
