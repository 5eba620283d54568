"""The variables of the deployment `emr`: what would fail on the first cluster is refused before there is one."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from nextbasket_assets.cli.main import main
from nextbasket_assets.lake.storage import Bucket
from nextbasket_assets.lake.tables import LakeError
from nextbasket_assets.resources.landing_folders import S3Folder
from nextbasket_assets.settings.emr import tell_boto3
from nextbasket_assets.settings.places import SettingsError
from nextbasket_assets.settings.reading import settings

ROOT = Path(__file__).parents[2]
EMR = {
    "NEXTBASKET_DEPLOYMENT": "emr",
    "NEXTBASKET_LANDING": "s3://b/landing/",
    "NEXTBASKET_LAKE": "s3://b/lake",
    "AWS_REGION": "eu-west-1",
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"NEXTBASKET_PSEUDONYM_KEY": "s3://b/landing/key"}, "is inside s3://b/landing: keep the key apart"),
        ({"NEXTBASKET_LAKE": "s3://b/"}, "NEXTBASKET_LAKE is s3://b: a whole bucket.*such as s3://b/lake"),
        ({"NEXTBASKET_LAKE": "s3://b/la#ke"}, "NEXTBASKET_LAKE is s3://b/la#ke: Spark and Delta Lake take #"),
        ({"NEXTBASKET_PSEUDONYM_KEY": "s3://k/a#b"}, "NEXTBASKET_PSEUDONYM_KEY is s3://k/a#b"),
    ],
)
def test_places_in_a_bucket_are_what_they_seem(changed: dict[str, str], message: str) -> None:
    """A slash at the end hides no key in the landing folder, and no URI is cut off in the middle."""
    with pytest.raises(SettingsError, match=message):
        settings(EMR | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"AWS_REGION": ""}, "AWS_REGION is not set: .* Set it to the bucket's region"),
        (
            {"AWS_DEFAULT_REGION": "us-east-1"},
            "AWS_REGION is eu-west-1, AWS_DEFAULT_REGION is us-east-1: .* one region",
        ),
        ({"NEXTBASKET_EMR_WORK": "/tmp/x"}, "NEXTBASKET_EMR_WORK is /tmp/x: .* Name one, such as s3://BUCKET/emr"),
        ({"NEXTBASKET_EMR_WORK": "s3://b//emr"}, "NEXTBASKET_EMR_WORK is s3://b//emr: .* Write one slash"),
        ({"NEXTBASKET_EMR_WORK": "s3://b/e#mr"}, "NEXTBASKET_EMR_WORK is s3://b/e#mr: Spark and Delta Lake take #"),
        ({"NEXTBASKET_EMR_SCORE_ON_SPARK": "true"}, "NEXTBASKET_EMR_SCORE_ON_SPARK needs torch on the nodes"),
        ({"NEXTBASKET_EMR_WORK": "s3://b/lake/"}, "NEXTBASKET_LAKE and NEXTBASKET_EMR_WORK are both s3://b/lake"),
        ({"NEXTBASKET_LAKE": "s3://b/landing"}, "NEXTBASKET_LANDING and NEXTBASKET_LAKE are both s3://b/landing"),
        ({"NEXTBASKET_EMR_IDLE_MINUTES": "10081"}, "NEXTBASKET_EMR_IDLE_MINUTES is '10081': .* equal to 10080.* seven"),
        ({"NEXTBASKET_EMR_MAX_HOURS": "12"}, "NEXTBASKET_EMR_MAX_HOURS is '12': .* less than 8.* Dagster ends the run"),
    ],
)
def test_what_emr_cannot_do_is_refused(changed: dict[str, str], message: str) -> None:
    """A region, a work prefix or a limit that fails on the first cluster is refused before there is one."""
    with pytest.raises(SettingsError, match=message):
        settings(EMR | changed)


def test_what_is_not_said_follows_from_what_is() -> None:
    """Work files lie beside the lake under the platform's key; commas part a list."""
    given = {"NEXTBASKET_KMS_KEY": "arn:key", "NEXTBASKET_EMR_SUBNETS": "subnet-1, subnet-2,"}
    emr = settings(EMR | given).emr

    assert emr is not None
    assert (emr.work, emr.kms_key, emr.subnets) == ("s3://b/emr", "arn:key", ["subnet-1", "subnet-2"])


def test_work_files_have_no_slash_at_the_end_of_their_place() -> None:
    """A slash at the end of the work prefix is dropped, so that boto3 and Hadoop mean one object."""
    chosen = settings(EMR | {"NEXTBASKET_EMR_WORK": "s3://b/jobs/"})

    assert chosen.emr is not None
    assert chosen.emr.work == "s3://b/jobs"


SERVERLESS = {
    "NEXTBASKET_EMR_MODE": "serverless",
    "NEXTBASKET_EMR_ENVIRONMENT": "s3://b/emr/environment.tar.gz",
    "NEXTBASKET_EMR_APPLICATION_ID": "a",
    "NEXTBASKET_EMR_JOB_ROLE_ARN": "arn:aws:iam::123456789012:role/jobs",
}


@pytest.mark.parametrize("name", list(SERVERLESS)[1:])
def test_serverless_needs_a_python_an_application_and_a_role(name: str) -> None:
    """Serverless without one of the three that it needs is refused with the variable's name."""
    assert settings(EMR | SERVERLESS).emr is not None
    with pytest.raises(SettingsError, match=rf"serverless, which needs {name} \("):
        settings(EMR | SERVERLESS | {name: " "})


def test_the_region_reaches_boto3() -> None:
    """With AWS_REGION alone, as the deployment sets it, EMR's client and the lake's bucket are in that region."""
    code = (
        "import nextbasket_assets.definitions; from nextbasket_assets.lake.storage import Bucket;"
        "from nextbasket_assets.resources.emr.calls import Aws, Clock;"
        "print(Aws(Clock(), 0, print).client('emr').meta.region_name, Bucket().options['aws_region'])"
    )
    environment = {"PATH": "/usr/bin:/bin", "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)

    assert result.stdout.split() == ["eu-west-1", "eu-west-1"], result.stderr


COMMANDS = {
    **{"missions": "", "customer": "", "evaluation": "", "report": "", "export": "--out=there", "erase": "X --yes"},
    **{"rollback": "--reason=x", "promote": "v --reason=x", "score": "", "demo": ""},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_opens_the_lake_in_the_region(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With AWS_REGION alone every command's lake is in that region, one that never loads the code location included."""
    monkeypatch.chdir(tmp_path)
    for name, value in {**EMR, "AWS_DEFAULT_REGION": "", "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_DEFAULT_REGION")  # set first, so that what the command sets is taken back

    def opened(root: str, kms_key: str | None = None) -> None:
        raise LakeError(f"{root} is opened in {Bucket(kms_key).client.meta.region_name}. Look.")

    monkeypatch.setattr("nextbasket_assets.lake.tables.storage_of", opened)
    monkeypatch.setattr(S3Folder, "list", lambda _: [])
    result = CliRunner().invoke(main, [command, *COMMANDS[command].split()])

    assert "s3://b/lake is opened in eu-west-1" in result.stderr


def test_the_commands_hand_the_region_on_themselves() -> None:
    """A fresh process that runs a command knows boto3's region without having loaded the code location."""
    code = (
        "import sys, click; from nextbasket_assets.cli.settled import settled;"
        "from nextbasket_assets.lake.storage import Bucket;"
        "told = lambda settings: print(Bucket().options['aws_region'], 'nextbasket_assets.definitions' in sys.modules);"
        "click.command()(settled(told))([])"
    )
    environment = {"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true", **EMR}
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)

    assert result.stdout.split() == ["eu-west-1", "False"], result.stderr


def test_the_region_that_boto3_knows_stays() -> None:
    """AWS_DEFAULT_REGION is left as it is when it is set, and stays away when nothing says a region."""
    known, silent = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, {"AWS_REGION": " "}
    tell_boto3(known)
    tell_boto3(silent)

    assert known["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "AWS_DEFAULT_REGION" not in silent
