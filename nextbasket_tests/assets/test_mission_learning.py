"""The missions' settings in the UI, a model's version, and the ids that the models of one lake give."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from nextbasket_assets.assets import mission_learning
from nextbasket_assets.assets.mission_learning import LEARNT, newest, version_of
from nextbasket_assets.assets.missions import STRUCTURE
from nextbasket_assets.assets.run_config import MissionConfig
from nextbasket_assets.lake import registry
from nextbasket_assets.lake.registry import PROMOTED, Decision
from nextbasket_assets.lake.staged_files import rows_by_week, staged_files
from nextbasket_assets.lake.tables import Lake
from nextbasket_assets.missions.choosing import ChoiceSettings
from nextbasket_assets.missions.learning import Naming
from nextbasket_assets.resources.spark import SparkResource, StageReport
from nextbasket_assets.transforms.missions import SampleSettings
from nextbasket_tests.missions.planted import planted, vocabulary
from nextbasket_tests.platforms import WEEKS, Platform, failure
from nextbasket_tests.report.weekly.weeks import deliver

FIRST, SECOND = WEEKS[:2]
SMALL = {"k": 3, "seeds": 1, "restarts": 1, "sweeps": 30, "item_priors": [0.05]}
NAMES = Naming({}, {}, {})


class Counting(SparkResource):
    """Audits that find every row and nothing wrong; no Spark."""

    root: str

    def run(
        self, stage: str, inputs: Mapping[str, Sequence[str]], outputs: Mapping[str, str], **parameters: Any
    ) -> StageReport:
        lake = Lake(self.root)
        rows = {table: rows_by_week(staged_files(lake, table, folder)) for table, folder in outputs.items()}
        tables = {table: {str(week): {"rows": count} for week, count in found.items()} for table, found in rows.items()}
        return StageReport(stage, 0.0, tables, {}, {})


Shop = dict[date, list[int]]  # the planted missions of each week


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Platform]:
    """A platform whose baskets are planted, or shuffled, in place of Spark's sample."""

    def platform(name: str, shop: Shop, shuffled: bool = False) -> Platform:
        def documents(*given: Any) -> Any:
            week = given[-1][-1]
            metrics = {"learnable_baskets": 3, "baskets": 2, "vocabulary": 1}
            sample = planted(shop[week], baskets=600, seed=WEEKS.index(week), shuffled=shuffled)
            return sample, vocabulary(), SimpleNamespace(metrics=metrics)

        monkeypatch.setattr(mission_learning, "_documents", documents)
        (tmp_path / name / "landing").mkdir(parents=True)
        root = tmp_path / name / "lake"
        for week in shop:
            deliver(Lake(str(root)), week)
        return Platform(tmp_path / name, dg.DagsterInstance.ephemeral(), {"spark": Counting(root=str(root))})

    return platform


def train(platform: Platform, first: date, last: date | None = None, **settings: Any) -> dg.ExecuteInProcessResult:
    config = {"mission_model": {"config": {**SMALL, **settings}}}
    result = platform.run("train_models", first, last, config=config, selection=["mission_model", *LEARNT])
    assert result.success, failure(result)
    return result


def models(platform: Platform) -> list[tuple[date, str, str]]:
    return [(one.week, one.version, one.digest) for one in registry.decisions(platform.lake, "mission_model")]


def ids(platform: Platform, week: date) -> list[tuple[str, str]]:
    return sorted((row["mission"], row["status"]) for row in platform.rows("mission_identities", week))


def test_a_range_is_one_run_for_each_week(make: Callable[..., Platform]) -> None:
    """The second week of a range refits the first one's model, to the byte as in a run of its own; no id is used twice."""
    shop = {FIRST: [0, 1, 2], SECOND: [0, 1, 3]}
    together = make("together", shop)
    train(together, FIRST, SECOND)
    apart = make("apart", shop)
    train(apart, FIRST)
    train(apart, SECOND)

    assert models(together) == models(apart)
    assert ids(together, SECOND) == ids(apart, SECOND)
    assert [status for _, status in ids(together, SECOND)].count("kept") == 2
    assert ("M04", "new") in ids(together, SECOND)


def test_an_older_week_made_anew_gives_new_ids_only(make: Callable[..., Platform]) -> None:
    """Another model of the first week has ids that no model had; the same one made again has those that it had."""
    shop = {FIRST: [0, 1, 2], SECOND: [0, 1, 3]}
    platform = make("anew", shop)
    train(platform, FIRST, SECOND)
    train(platform, FIRST)
    first, _, again = models(platform)
    assert again == first
    assert ids(platform, FIRST) == [("M01", "new"), ("M02", "new"), ("M03", "new")]

    shop[FIRST] = [4, 5, 6]
    train(platform, FIRST)
    assert ids(platform, FIRST) == [("M05", "new"), ("M06", "new"), ("M07", "new")]


def test_weeks_of_one_run_do_not_pass_for_one_model(make: Callable[..., Platform]) -> None:
    """The data version of a range is none of its models' versions; that of a single week is its model's."""
    platform = make("data", {FIRST: [0, 1, 2], SECOND: [0, 1, 2]})
    found = []
    for ends in ((FIRST,), (FIRST, SECOND)):
        train(platform, *ends)
        records = platform.instance.fetch_materializations(dg.AssetKey("mission_model"), limit=1).records
        assert records[0].asset_materialization is not None
        found.append((records[0].asset_materialization.tags or {})["dagster/data_version"])

    assert found[0] == models(platform)[0][1]
    assert found[1] not in [version for _, version, _ in models(platform)]


def test_a_model_learns_from_the_weeks_of_its_window(make: Callable[..., Platform]) -> None:
    """Of two weeks with a window of one: the baskets of the model's own week and no other's, counted to the last one."""
    platform = make("window", {FIRST: [0, 1, 2], SECOND: [0, 1, 2]})
    train(platform, SECOND, window_weeks=1)
    (model,) = registry.decisions(platform.lake, "mission_model")
    counts = {name: count for name, count in model.metrics.items() if name.startswith(("rows", "removed"))}

    assert counts["rows_in"] == platform.lake.rows("staged_baskets")[SECOND]
    assert counts.pop("rows_in") == sum(counts.values())


@pytest.mark.parametrize("structure", [True, False])
def test_a_shop_without_missions_is_told_of(make: Callable[..., Platform], structure: bool) -> None:
    """Where any item is in any basket the model has one mission and the check is yellow, with the reason."""
    platform = make("structure", {FIRST: [0, 1, 2]}, shuffled=not structure)
    result = train(platform, FIRST, k=None, candidates=[2, 3])
    (check,) = [one for one in result.get_asset_check_evaluations() if one.check_name == STRUCTURE]
    (model,) = registry.decisions(platform.lake, "mission_model")

    assert (check.passed, check.severity) == (structure, dg.AssetCheckSeverity.WARN)
    assert check.metadata[model.version].value == model.why
    assert ("no mission structure" in model.why) == (not structure)
    assert len(ids(platform, FIRST)) == (3 if structure else 1)


def test_a_name_for_an_id_that_nobody_had_is_warned_of(make: Callable[..., Platform]) -> None:
    """With three missions, missions.yaml may name M03; what it says of M04 is for whoever comes next, and a warning says so."""
    platform = make("names", {FIRST: [0, 1, 2]})
    (platform.root / "landing" / "missions.yaml").write_text("M03: Pets\nM04: Garden\n")
    run = train(platform, FIRST).run_id
    said = [entry.user_message for entry in platform.instance.all_logs(run) if entry.level == logging.WARNING]

    assert [line.split(",")[0] for line in said] == ["missions.yaml names M04"]


def test_another_sample_is_another_version() -> None:
    """The version is that of all that decides: baskets, vocabulary, names and former model; the same again is the same."""
    config, documents, items = MissionConfig(), planted([0, 1], baskets=20), vocabulary()
    former = decision(FIRST, "v1")

    def version(documents: Any = documents, items: Any = items, naming: Naming = NAMES, before: Any = None) -> str:
        return version_of(config, SECOND, documents, items, naming, {"rows_in": 20}, before)

    others = {
        version(documents=planted([0, 1], baskets=20, seed=1)),
        version(documents=replace(documents, held_out_D=~documents.held_out_D)),
        version(items=replace(items, items=items.items[::-1])),
        version(naming=replace(NAMES, given={"M01": "Pets"})),
        version(before=former),
        version(before=replace(former, digest="other")),
    }
    assert version() == version(documents=planted([0, 1], baskets=20), items=vocabulary())
    assert len(others - {version()}) == 6


def decision(week: date, version: str) -> Decision:
    return Decision(
        week=week, name="mission_model", version=version, decision=PROMOTED, why="so", metrics={}, artifact="a",
        digest="d", inputs={}, run_id="r",
    )  # fmt: skip


def test_the_model_before_is_the_newest_one() -> None:
    """What this run decided wins over a registry's model of the same week, not over a younger one's."""
    old, same, later = decision(FIRST, "old"), decision(FIRST, "same"), decision(SECOND, "later")

    assert newest(None, []) is None
    assert newest(old, []) is old
    assert newest(old, [same]) is same
    assert newest(later, [same]) is later


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        *[({name: 0}, "greater than or equal to 1") for name in ("window_weeks", "k", "seeds", "restarts", "sweeps")],
        *[({name: 0}, "greater than or equal to 1") for name in ("max_baskets", "min_item_baskets", "topic_items")],
        ({"k": -1}, "greater than or equal to 1"),
        ({"k": 101}, "less than or equal to 100"),
        ({"candidates": []}, "at least 1 item"),
        ({"candidates": [0, 2]}, "Give numbers from 2 to 100"),
        ({"item_priors": []}, "at least 1 item"),
        ({"item_priors": [-0.1]}, "Give numbers above 0"),
        ({"memory": -1.0}, "greater than or equal to 0"),
    ],
)
def test_settings_that_no_fit_survives_are_refused(wrong: dict[str, Any], said: str) -> None:
    """Before anything is read, with the setting's name: the sampler would end the whole process."""
    with pytest.raises(ValidationError, match=rf"(?s){next(iter(wrong))}.*{said}"):
        MissionConfig(**wrong)


def test_the_config_is_the_settings() -> None:
    """Every setting of sample and choice can be set in the launchpad, with the same default."""
    settings = {**asdict(SampleSettings()), **asdict(ChoiceSettings())}
    settings |= {name: list(value) for name, value in settings.items() if isinstance(value, tuple)}

    assert MissionConfig().model_dump(exclude={"window_weeks", "topic_items"}) == settings
