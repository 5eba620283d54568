"""The files of deploy/ are sound, name settings that exist, and say about the roles what the platform promises."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import dagster as dg
import pytest
import yaml
from dagster._cli import create_dagster_cli
from dagster._core.instance.config import dagster_instance_config
from dagster._core.test_utils import instance_for_test
from dagster._daemon.cli import create_dagster_daemon_cli
from dagster_webserver.cli import dagster_webserver

from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.operations.jobs import JOBS
from nextbasket_assets.resources.emr.settings import EmrSettings
from nextbasket_assets.settings.reading import settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KNOWN = {"NEXTBASKET_DEPLOYMENT", "NEXTBASKET_LANDING", "NEXTBASKET_LAKE", "NEXTBASKET_KMS_KEY"}
KNOWN |= {"NEXTBASKET_LAST_WEEK", "NEXTBASKET_FIRST_WEEK", "NEXTBASKET_IMAGE"}
KNOWN |= {f"NEXTBASKET_EMR_{name.upper()}" for name in EmrSettings.model_fields}


@pytest.mark.parametrize(
    "path", [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()], ids=lambda path: path.name
)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    """No file of the deployment sets or reads a variable that the platform does not know."""
    named = set(re.findall(r"NEXTBASKET_[A-Z_]+[A-Z]", path.read_text()))

    assert named <= KNOWN


def test_the_example_settings_load() -> None:
    """With places filled in, the example's variables are a valid deployment; one that is blank is not set."""
    lines = [
        line for line in (DEPLOY / "settings.env.example").read_text().splitlines() if "=" in line and line[0] != "#"
    ]
    environment = dict(line.split("=", 1) for line in lines)
    assert {"AWS_REGION", "AWS_DEFAULT_REGION"} <= environment.keys()  # boto3 reads the second alone
    assert "NEXTBASKET_FIRST_WEEK" in environment  # or an open calendar begins in 2006
    environment |= {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    chosen = settings(environment)
    definitions = build_definitions(chosen)

    assert chosen.emr is not None
    assert (chosen.emr.subnets, chosen.emr.service_role, chosen.kms_key) == ([], "EMR_DefaultRole", None)
    dg.Definitions.validate_loadable(definitions)
    assert {sensor.name for sensor in definitions.sensors or ()} >= {"landing_sensor", "cluster_reaper"}


def test_the_instance_settings_are_dagsters(tmp_path: Path) -> None:
    """Dagster accepts the production dagster.yaml; only crashes are retried, and a run has as long as the jobs say."""
    shutil.copy(DEPLOY / "dagster.yaml", tmp_path / "dagster.yaml")
    config, _ = dagster_instance_config(str(tmp_path))

    assert config["run_retries"] == {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False}
    assert config["run_monitoring"]["max_runtime_seconds"] > 6 * 3600  # longer than max_hours of the stages
    jobs = {tags["dagster/max_runtime"] for job in JOBS if (tags := job.tags)}
    assert jobs == {str(config["run_monitoring"]["max_runtime_seconds"])}
    assert config["storage"]["postgres"]["postgres_db"]["password"] == {"env": "DAGSTER_POSTGRES_PASSWORD"}


def test_a_first_load_goes_in_order(tmp_path: Path) -> None:
    """Every job has the tag of which one run at a time may go on, so that no model is trained while its history is still read."""
    shutil.copy(DEPLOY / "dagster.yaml", tmp_path / "dagster.yaml")
    config, _ = dagster_instance_config(str(tmp_path))
    (limit,) = config["concurrency"]["runs"]["tag_concurrency_limits"]

    assert limit == {"key": "nextbasket/branch", "limit": 1}
    assert all(limit["key"] in job.tags for job in JOBS)


def test_the_queue_waits_for_a_code_server_and_keeps_its_order() -> None:
    """A queued run outlives an hour without a server, and the limits hold for the queue that waits."""
    config = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    del config["storage"]
    with instance_for_test(config) as instance:
        queue = instance.get_concurrency_config().run_queue_config

    assert queue is not None
    assert queue.max_user_code_failure_retries * queue.user_code_failure_retry_delay >= 3600
    assert queue.max_concurrent_runs == 2
    assert queue.tag_concurrency_limits == [{"key": "nextbasket/branch", "limit": 1}]


def test_the_host_shows_runs_to_its_people_only() -> None:
    """Every service binds to this machine only, and the viewer only reads; all share the folder of what runs print."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    assert all(service["volumes"] == ["dagster:/opt/dagster/storage"] for service in services.values())
    assert "mkdir /opt/dagster/storage" in (DEPLOY / "Dockerfile").read_text()  # a new volume takes its owner
    assert all(service["logging"]["options"]["max-size"] for service in services.values())
    assert all(port.startswith("127.0.0.1:") for service in services.values() for port in service.get("ports", ()))
    assert "--read-only" in services["viewer"]["command"]


@pytest.mark.parametrize("name", ["Dockerfile", "environment.Dockerfile"])
def test_an_image_copies_what_there_is(name: str) -> None:
    """Every path that a Dockerfile copies from the repository is in the repository."""
    text = (DEPLOY / name).read_text()
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from=" not in line]

    assert copied
    assert [path for paths in copied for path in paths if not (ROOT / path).exists()] == []


def test_the_host_runs_commands_that_exist() -> None:
    """Each service's command is one of the installed Dagster's, with options that it takes; so is the health check."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    typed = [*(service["command"] for service in services.values()), services["code"]["healthcheck"]["test"]]
    lines = [line if isinstance(line, str) else " ".join(line) for line in typed]
    commands = [found.split() for line in lines for found in re.findall(r"(?:^|(?<= ))dagster[a-z-]* [^;]*", line)]
    programs: dict[str, click.Command] = {
        "dagster": create_dagster_cli(),
        "dagster-webserver": dagster_webserver,
        "dagster-daemon": create_dagster_daemon_cli(),
    }
    assert len(commands) == len(typed) + 1  # the daemon asks before it starts
    for name, *words in commands:
        command = programs[name]
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, (name, words)


def test_the_daemon_waits_for_the_code_server(tmp_path: Path) -> None:
    """Also where Docker starts all containers at once: what it finds to start would fail without the server, and for good."""
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["daemon"]
    asked = f'echo "$@" >> {tmp_path}/told; [ $(wc -l < {tmp_path}/told) -gt 2 ]'  # it answers the third time
    stubs = {"dagster": asked, "dagster-daemon": f"echo started >> {tmp_path}/told", "sleep": ""}
    for name, body in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(service["command"], env=environment, check=True)

    assert (tmp_path / "told").read_text().splitlines() == ["api grpc-health-check -h code -p 4000"] * 3 + ["started"]
    assert service["depends_on"]["code"] == {"condition": "service_healthy", "restart": True}


def test_the_archive_has_what_scoring_imports() -> None:
    """The nodes' environment pins numpy for the stages, and torch, safetensors, pyarrow and PySpark's pandas for scoring."""
    wanted = re.search(r"\^\((.*)\)==", (DEPLOY / "environment.Dockerfile").read_text())
    assert wanted is not None
    pinned = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}

    assert set(wanted.group(1).split("|")) == {"numpy", "pandas", "pyarrow", "safetensors", "torch"}
    assert set(wanted.group(1).split("|")) <= pinned


def test_the_archive_works_wherever_it_lies() -> None:
    """The nodes' Python is a whole one, not a venv, whose standard library is where it was made; it is tried elsewhere."""
    text = (DEPLOY / "environment.Dockerfile").read_text()

    assert "-m venv" not in text
    assert "uv python install" in text
    assert "/moved/bin/python -c 'import numpy" in text


@pytest.mark.parametrize(
    "path",
    [
        "deploy/settings.env",
        "deploy/terraform/terraform.tfstate",
        "deploy/terraform/.terraform/x",
        "environment.tar.gz",
    ],
)
def test_what_is_secret_or_made_is_not_committed(path: str) -> None:
    """Git ignores the password's file, Terraform's state and the nodes' archive."""
    assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False).returncode == 0


def test_the_host_boots_into_a_network() -> None:
    """Its script, which runs at the first boot alone, comes after the routes and tries each download again."""
    host = (DEPLOY / "terraform" / "platform.tf").read_text().split('resource "aws_instance" "host"')[1]
    waited = re.search(r"depends_on\s*=\s*\[(.*)\]", host)

    assert waited is not None
    assert {"aws_route_table_association.private", "aws_vpc_endpoint.s3"} <= set(waited.group(1).split(", "))
    assert all("retry" in line for line in host.splitlines() if "dnf install" in line or "curl" in line)


def test_terraform_tells_boto3_its_region() -> None:
    """The settings that Terraform prints name the region under both names."""
    printed = (DEPLOY / "terraform" / "outputs.tf").read_text()

    assert "    AWS_REGION=${var.region}" in printed
    assert "    AWS_DEFAULT_REGION=${var.region}" in printed


def test_terraform_holds_what_the_page_promises() -> None:
    """The bucket is private, encrypted, versioned and TLS only; nodes cannot commit to a table."""
    text = "\n".join(path.read_text() for path in sorted((DEPLOY / "terraform").glob("*.tf")))

    for promise in (
        "aws_s3_bucket_public_access_block",
        "aws:SecureTransport",
        'status = "Enabled"',
        "bucket_key_enabled = true",
    ):
        assert promise in text
    assert "lake/*/_delta_log/*" in text
    assert not re.search(r'actions\s*=\s*\["\*"\]', text)
    assert not re.search(r"AKIA[0-9A-Z]{16}", text)


def test_nodes_cannot_change_what_later_clusters_run() -> None:
    """Nodes and job runs write staged files, reports and logs, and nothing beside these below emr/; they read all of it."""
    text = (DEPLOY / "terraform" / "roles.tf").read_text()
    policy = text.split('data "aws_iam_policy_document" "node"')[1].split("\nresource ")[0]
    (prefixes,) = re.findall(r"written_by_nodes = \[for prefix in (\[.*?\])", text)
    writing = [part for part in policy.split("statement {") if "s3:PutObject" in part and "Deny" not in part]

    assert json.loads(prefixes) == ["lake", "emr/runs", "emr/logs"]
    assert [re.findall(r"resources = (.*)", part) for part in writing] == [["local.written_by_nodes"]]
    assert re.search(r'"s3:GetObject"\]\s+resources = .*local\.written\)', policy)


def test_the_host_may_do_all_that_it_asks_of_emr() -> None:
    """Every operation of EMR that the code calls by name is one that the host's role allows."""
    code = "\n".join(path.read_text() for path in (ROOT / "nextbasket_assets" / "resources" / "emr").glob("*.py"))
    called = set(re.findall(r'(?:_emr|emr)\("(\w+)"|"emr", "(\w+)"', code))
    policy = (DEPLOY / "terraform" / "roles.tf").read_text().split('data "aws_iam_policy_document" "host"')[1]
    wanted = {"".join(word.capitalize() for word in "".join(pair).split("_")) for pair in called}

    assert len(wanted) >= 8
    assert {name for name in wanted if f"elasticmapreduce:{name}" not in policy} == set()


def test_the_archive_is_of_the_nodes_kind() -> None:
    """Every image that the archive is built from is x86-64, also on a machine of another kind."""
    text = (DEPLOY / "environment.Dockerfile").read_text()
    images = [line for line in text.splitlines() if line.startswith("FROM ") and line != "FROM scratch"]

    assert len(images) == 2
    assert all(line.startswith("FROM --platform=linux/amd64 ") for line in images)
    assert re.findall(r"--from=(\S+)", text) == ["uv", "build"]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_is_sound(tmp_path: Path) -> None:
    """Terraform reads every file and finds nothing to format; `validate` too, where its AWS provider can be had."""
    formatted = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", str(DEPLOY / "terraform")], capture_output=True, text=True, check=False
    )
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    folder = shutil.copytree(DEPLOY / "terraform", tmp_path / "terraform")
    command = ["terraform", f"-chdir={folder}", "init", "-backend=false", "-input=false"]
    initialised = subprocess.run(command, capture_output=True, text=True, check=False)
    if initialised.returncode:
        pytest.skip("formatted and parsed; not validated, because the AWS provider cannot be downloaded here")
    validated = subprocess.run(
        ["terraform", f"-chdir={folder}", "validate"], capture_output=True, text=True, check=False
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr
