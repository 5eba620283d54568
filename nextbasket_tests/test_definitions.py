"""The code location loads as the server loads it, and shows what the design draws."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from nextbasket_assets.assets import baskets
from nextbasket_assets.columns import TABLES
from nextbasket_assets.definitions import build_definitions
from nextbasket_assets.lineage import LANDING_TABLES, LINEAGE
from nextbasket_assets.operations.checks import RETRAINING_CHECKS
from nextbasket_assets.settings.reading import settings

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


def test_the_ui_shows_what_an_array_of_records_holds(definitions: dg.Definitions) -> None:
    """The fields of each entry are beside the array; a long has the name of a number that the UI knows."""
    columns = {
        column.name: column for column in specs(definitions)["staged_baskets"].metadata["dagster/column_schema"].columns
    }

    assert "Each has item (string), quantity (integer), spend (decimal(14,2)). From" in str(
        columns["items"].description
    )
    assert columns["units"].type == "bigint"


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


def test_every_warning_about_a_published_table_is_there(definitions: dg.Definitions) -> None:
    """Each is evaluated with its table, and those that may ask for a new model are among them."""
    keys = definitions.resolve_asset_graph().asset_check_keys

    assert keys >= set(RETRAINING_CHECKS)
    assert {key.name for key in keys} >= {
        *("no_week_of_the_history_is_missing", "most_baskets_have_a_mission", "most_customers_are_scored_by_the_model"),
        *("mission_shares_are_like_in_training", "no_mission_has_most_baskets", "small_baskets_have_lower_confidence"),
    }


def test_the_landing_folder_is_watched_without_a_click(definitions: dg.Definitions) -> None:
    """Whoever starts the platform has its sensor running."""
    assert [(sensor.name, sensor.default_status) for sensor in definitions.sensors or ()] == [
        ("landing_sensor", dg.DefaultSensorStatus.RUNNING)
    ]


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
