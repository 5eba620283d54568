"""The code location loads as the server loads it, and shows what the design draws."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from nextbasket_assets.assets import baskets
from nextbasket_assets.columns import TABLES
from nextbasket_assets.definitions import SettingsError, build_definitions, settings, tell_boto3
from nextbasket_assets.lineage import LANDING_TABLES, LINEAGE

ROOT = Path(__file__).parents[1]
SEVEN = {
    *("raw_transactions", "staged_baskets", "mission_model", "mission_tagged_baskets"),
    *("customer_sequences", "rnn_model", "next_basket_scores"),
}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(settings({}))


def specs(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def test_definitions_are_loadable(definitions: dg.Definitions) -> None:
    """Every job, sensor, check and resource fits together."""
    dg.Definitions.validate_loadable(definitions)


def test_the_seven_assets_are_there_and_every_table_has_its_columns(definitions: dg.Definitions) -> None:
    """The mission's seven keep their names; each table's columns in the UI are the ones of columns.py."""
    found = specs(definitions)

    assert found.keys() >= SEVEN
    assert found.keys() == TABLES.keys() | {"mission_model", "rnn_model"}
    for table, columns in TABLES.items():
        shown = found[table].metadata["dagster/column_schema"].columns
        assert [column.name for column in shown] == [column.name for column in columns]


def test_every_column_says_where_it_comes_from() -> None:
    """lineage.py has an entry for each column of columns.py and no other; every source is a column of the lake."""
    known = {f"{table}.{column.name}" for table, columns in TABLES.items() for column in columns}

    assert LINEAGE.keys() == TABLES.keys(), "name the table in nextbasket_assets/lineage.py"
    for table, columns in TABLES.items():
        assert LINEAGE[table].keys() == {column.name for column in columns}, (
            f"lineage.py: correct the columns of {table}"
        )
        sources = {source for column in LINEAGE[table].values() for source in column}
        assert sources <= known, f"lineage.py: {table} names columns that no table has"
        assert sources or table in LANDING_TABLES, f"lineage.py: {table} comes from no other table"


def test_columns_come_from_tables_that_the_lineage_reaches(definitions: dg.Definitions) -> None:
    """No column's source lies in a table that is not upstream of its own in the graph of assets."""
    graph = definitions.resolve_asset_graph()
    for table, columns in LINEAGE.items():
        upstream = {key.to_user_string() for key in graph.get_ancestor_asset_keys(dg.AssetKey(table))}
        named = {source.split(".")[0] for sources in columns.values() for source in sources}
        assert named <= upstream, f"{table}: add the dep, or correct lineage.py"


def test_the_ui_shows_columns_with_their_sources(definitions: dg.Definitions) -> None:
    """A column's source is in its table's column lineage, and in the words beside it."""
    metadata = specs(definitions)["staged_baskets"].metadata
    shown = {column.name: column.description for column in metadata["dagster/column_schema"].columns}

    assert metadata["dagster/column_lineage"].deps_by_column["units"] == [
        dg.TableColumnDep("raw_transactions", "quantity")
    ]
    assert shown["units"] == "units of merchandise. From raw_transactions.quantity."


def test_every_asset_links_its_source(definitions: dg.Definitions) -> None:
    """The UI opens the file and line that make an asset, wherever the package is installed."""
    for name, spec in specs(definitions).items():
        (reference,) = spec.metadata["dagster/code_references"].code_references
        assert Path(reference.file_path).parent == Path(baskets.__file__).parent, name
        line = Path(reference.file_path).read_text().splitlines()[reference.line_number - 1]
        assert line.startswith("@dg."), f"{name} links {line!r}"


def test_every_job_names_its_branch(definitions: dg.Definitions) -> None:
    """A run that a person launches carries the same branch tag as the sensor's."""
    for job in definitions.jobs or ():
        assert job.tags["nextbasket/branch"] == job.name


def test_every_asset_is_weekly_described_and_owned(definitions: dg.Definitions) -> None:
    """No asset without partitions, a description, an owner, a group and a kind."""
    for name, spec in specs(definitions).items():
        assert isinstance(spec.partitions_def, dg.TimeWindowPartitionsDefinition), name
        assert spec.description, name
        assert spec.owners, name
        assert spec.group_name in {"baskets", "missions", "next_basket", "report"}, name
        assert spec.kinds, name


def test_lineage_flows_as_the_design_draws_it(definitions: dg.Definitions) -> None:
    """The arrows between the seven are the picture's."""
    found = specs(definitions)
    arrows = {
        (dep.asset_key.to_user_string(), name)
        for name, spec in found.items()
        for dep in spec.deps
        if {name, dep.asset_key.to_user_string()} <= SEVEN
    }

    assert arrows == {
        ("raw_transactions", "staged_baskets"),
        ("staged_baskets", "mission_model"),
        ("staged_baskets", "mission_tagged_baskets"),
        ("mission_model", "mission_tagged_baskets"),
        ("mission_tagged_baskets", "customer_sequences"),
        ("customer_sequences", "rnn_model"),
        ("customer_sequences", "next_basket_scores"),
        ("rnn_model", "next_basket_scores"),
    }


def test_every_asset_backfills_in_one_run(definitions: dg.Definitions) -> None:
    """A range of weeks is one run of each job: one Spark session."""
    for assets in definitions.assets or ():
        assert isinstance(assets, dg.AssetsDefinition)
        assert assets.backfill_policy == dg.BackfillPolicy.single_run(), assets.keys


def test_the_calendar_follows_the_settings() -> None:
    """First and last week come from the environment; both are in the calendar."""
    chosen = settings({"NEXTBASKET_FIRST_WEEK": "2020-01-06", "NEXTBASKET_LAST_WEEK": "2020-01-13"})
    weeks = specs(build_definitions(chosen))["raw_transactions"].partitions_def

    assert weeks is not None
    assert list(weeks.get_partition_keys()) == ["2020-01-06", "2020-01-13"]
    assert settings({"NEXTBASKET_LAST_WEEK": "open"}).last_week is None
    assert settings({}).last_week == date(2008, 6, 30)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"NEXTBASKET_DEPLOYMENT": "moon"}, "NEXTBASKET_DEPLOYMENT is 'moon'"),
        ({"NEXTBASKET_FIRST_WEEK": "2020-01-07"}, "NEXTBASKET_FIRST_WEEK is 2020-01-07, which is not a Monday"),
        (
            {"NEXTBASKET_LANDING": "/data/shop[1]"},
            r"NEXTBASKET_LANDING is /data/shop\[1\]: Spark and Delta Lake take \[ \]",
        ),
        ({"NEXTBASKET_LAKE": "/data/50%25"}, "NEXTBASKET_LAKE is /data/50%25: .* Use a path without it"),
        ({"NEXTBASKET_LAST_WEEK": "soon"}, "NEXTBASKET_LAST_WEEK is 'soon': expected a Monday"),
    ],
)
def test_wrong_settings_are_named(environment: dict[str, str], message: str) -> None:
    """A setting that means nothing is an error that names the variable."""
    with pytest.raises(SettingsError, match=message):
        settings(environment)


EMR = {
    "NEXTBASKET_DEPLOYMENT": "emr",
    "NEXTBASKET_LANDING": "s3://b/landing/",
    "NEXTBASKET_LAKE": "s3://b/lake",
    "AWS_REGION": "eu-west-1",
}


def test_a_blank_variable_is_not_set() -> None:
    """A blank setting is no setting: the lake is where it is without it."""
    assert settings({"NEXTBASKET_LAKE": "", "NEXTBASKET_LANDING": " "}) == settings({})


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


def test_the_region_that_boto3_knows_stays() -> None:
    """AWS_DEFAULT_REGION is left as it is when it is set, and stays away when nothing says a region."""
    known, silent = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, {"AWS_REGION": " "}
    tell_boto3(known)
    tell_boto3(silent)

    assert known["AWS_DEFAULT_REGION"] == "us-east-1"
    assert "AWS_DEFAULT_REGION" not in silent


def test_two_landing_folders_never_share_a_lake() -> None:
    """The default lake follows the landing folder, so that two shops do not mix."""
    ours, theirs = settings({}), settings({"NEXTBASKET_LANDING": "/data/lgsr"})

    assert ours.lake.endswith("demo/lake")
    assert theirs.lake.endswith("lgsr/lake")


def test_the_workspace_loads_as_the_server_loads_it(tmp_path: Path) -> None:
    """`dagster definitions validate` accepts workspace.yaml, without a warning of ours."""
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate", "-w", "workspace.yaml"]
    environment = {"PATH": "/usr/bin:/bin", "DAGSTER_HOME": str(tmp_path), "HOME": str(tmp_path)}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
    assert "BetaWarning" not in result.stderr


def test_the_readme_names_every_asset() -> None:
    """The README's table and picture are the definitions'."""
    readme = (ROOT / "README.md").read_text()

    for name in TABLES.keys() | {"mission_model", "rnn_model"}:
        assert name in readme, f"README.md does not mention {name}"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NEXTBASKET_PSEUDONYM_KEYFILE", "/key", "there is no such setting. Did you mean NEXTBASKET_PSEUDONYM_KEY?"),
        ("NEXTBASKET_EMR_REGIONS", "x", "there is no such setting. Did you mean NEXTBASKET_EMR_REGION?"),
        ("NEXTBASKET_DRIVER_MEMORY", "lots", "is 'lots': expected a size such as 3g or 1500m"),
    ],
)
def test_a_setting_that_is_none_is_refused(name: str, value: str, said: str) -> None:
    """A misspelt variable is named with its nearest, before it silently does nothing."""
    with pytest.raises(SettingsError) as refused:
        settings({name: value})

    assert name in str(refused.value)
    assert said in str(refused.value)
