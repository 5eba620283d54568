"""What ships to a cluster: the same bytes for the same code, whole, uploaded once."""

import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from nextbasket_assets import code_version as versions
from nextbasket_assets.resources.emr import package
from nextbasket_assets.resources.emr.calls import Aws
from nextbasket_assets.resources.emr.package import build
from nextbasket_tests.emr_bed.scripted import ScriptedBed
from nextbasket_tests.resources.emr.conftest import Answers, Ran


def test_the_zip_is_a_function_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Built twice it is the same bytes; one changed line gives other bytes and another code version."""
    first, version = build(), versions.code_version()
    assert build() == first

    changed = {**versions.sources(), "nextbasket_assets/columns.py": b"# another line\n"}
    monkeypatch.setattr(versions, "sources", lambda: changed)
    monkeypatch.setattr("nextbasket_assets.resources.emr.package.sources", lambda: changed)
    versions.code_version.cache_clear()
    try:
        assert build() != first
        assert versions.code_version() != version
    finally:
        versions.code_version.cache_clear()


def test_the_zip_says_nothing_of_who_built_it_when() -> None:
    """Every file is as old and as open as any other, so that two machines put the same bytes under one key."""
    with zipfile.ZipFile(io.BytesIO(build())) as archive:
        told = {(entry.date_time, entry.external_attr, entry.create_system) for entry in archive.infolist()}

    assert told == {((1980, 1, 1, 0, 0, 0), 0o644 << 16, 3)}


def test_the_code_version_is_the_zips_content() -> None:
    """Every file of the zip is in the digest, and nothing else is: what a table says it was made by is what ran."""
    hashed = hashlib.sha256()
    with zipfile.ZipFile(io.BytesIO(build())) as archive:
        for name in archive.namelist():
            hashed.update(name.encode() + b"\0" + archive.read(name))

    assert hashed.hexdigest()[:12] == versions.code_version()


def test_the_zip_needs_nothing_else_of_ours(tmp_path: Path) -> None:
    """Every module of the zip is imported from the zip alone, in a Python that knows no other copy of the package."""
    path = tmp_path / "nextbasket.zip"
    path.write_bytes(build())
    modules = [name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in versions.sources()]
    modules = [module for module in modules if not module.endswith("__main__")]
    code = (
        f"import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]; import {', '.join(modules)};"
        "ours = [m for n, m in sys.modules.items() if n.startswith('nextbasket_assets')];"
        "print(len([m for m in ours if 'nextbasket.zip' not in m.__file__]), len(ours))"
    )
    environment = {"PYTHONPATH": str(path), "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    elsewhere, ours = map(int, ran.stdout.split())
    assert elsewhere == 0
    assert ours >= len(modules)


def test_the_code_is_uploaded_once(bed: ScriptedBed, run: Callable[..., Ran]) -> None:
    """A second run of the same code puts no code: its digest is in the key."""
    assert run().success
    (zipped,) = [item for item in bed.s3.list_objects_v2(Bucket="shop")["Contents"] if item["Key"].endswith(".zip")]
    bed.calls.clear()
    assert run().success

    assert versions.code_version() in zipped["Key"]
    assert bed.calls.count("PutObject") == 2 + 4  # two plans; two lines and two reports, which are the steps'
    assert [item for item in bed.s3.list_objects_v2(Bucket="shop")["Contents"] if item["Key"] == zipped["Key"]] == [
        zipped
    ]


def test_each_name_has_its_own_content_under_the_key() -> None:
    """The zip, the script that starts a stage and the nodes' script are what their names say, each encrypted by the key."""
    aws = Answers(list_objects_v2={"KeyCount": 0})
    package.upload(cast(Aws, aws), "s3://shop/emr", "arn:key")
    put = {asked["Key"].rsplit("/", 1)[-1]: asked for asked in aws.of("put_object")}

    assert put["nextbasket.zip"]["Body"] == build()
    assert put["stage.py"]["Body"] == versions.sources()["nextbasket_assets/distributed/__main__.py"]
    assert len(put) == 3
    assert {asked["SSEKMSKeyId"] for asked in put.values()} == {"arn:key"}


def test_a_corrected_bootstrap_script_reaches_the_next_cluster(
    bed: ScriptedBed, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script is no part of the code's digest: the same code with another script boots by the new one."""
    assert run().success
    monkeypatch.setattr(package, "_BOOTSTRAP", "#!/bin/bash\n# corrected\n")
    assert run().success

    actions = [cluster.request["BootstrapActions"][0]["ScriptBootstrapAction"] for cluster in bed.worker.clusters]
    former, corrected = (bed.get(action["Path"]) for action in actions)
    assert corrected == b"#!/bin/bash\n# corrected\n"
    assert former != corrected


def test_the_bootstrap_script_tries_the_archive(bed: ScriptedBed, run: Callable[..., Ran]) -> None:
    """Its first argument is a node's Python and its second the archive, if any, whose Python it starts once."""
    assert run().success
    assert run(environment="s3://shop/emr/environment.tar.gz").success

    actions = [cluster.request["BootstrapActions"][0]["ScriptBootstrapAction"] for cluster in bed.worker.clusters]
    python = "/usr/bin/python3.11"
    assert [action["Args"] for action in actions] == [[python], [python, "s3://shop/emr/environment.tar.gz"]]
    script = bed.get(actions[0]["Path"]).decode()
    assert script.index('aws s3 cp "$2"') < script.index(f"{package.ENVIRONMENT_PYTHON} -c ''")
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
