"""Models: hostile, damaged and worse ones; rolling back and promoting by hand."""

import hashlib
import os
import pickle
from pathlib import Path

import pytest

from nextbasket_assets.lake import champions, registry
from nextbasket_assets.lake.registry import PROMOTED
from nextbasket_assets.lake.tables import LakeError
from nextbasket_assets.recommender import artifact
from nextbasket_assets.recommender.calibration import START, START_WITHIN_WEEK
from nextbasket_tests import shops
from nextbasket_tests.faults import shop
from nextbasket_tests.platforms import Platform, failure
from nextbasket_tests.recommender import small


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(self.marker),))


def saved(folder: Path) -> Path:
    """An artifact of a tiny model."""
    _, words = small.prefixes_of(shops.write_sequences(folder / "s.parquet", {"anna": [["a", "b"], ["b", "c"]]}))
    model = artifact.Model(
        small.random_network(words), words, START, START_WITHIN_WEEK, shops.week(3), 2, {"seed": 0}, "missions-1"
    )
    artifact.save(model, str(folder / "model"), "# card\n", {})
    return folder / "model"


def resealed(folder: Path) -> None:
    """Digests that fit, as somebody who can write the folder would leave them."""
    lines = (f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in artifact.FILES)
    (folder / artifact.SUMS).write_text("".join(lines))


@pytest.mark.parametrize("name", [artifact.WEIGHTS, artifact.CONFIG, artifact.VOCABULARY])
def test_m1_a_hostile_checkpoint_runs_nothing(tmp_path: Path, name: str) -> None:
    """A pickle in the place of any file, with digests that fit, is refused, and its code never runs."""
    folder, marker = saved(tmp_path), tmp_path / "ran"
    (folder / name).write_bytes(pickle.dumps(Bomb(marker)))
    resealed(folder)

    with pytest.raises(artifact.ArtifactError, match="do not fit"):
        artifact.load(str(folder))
    assert not marker.exists()
    pickle.loads((folder / name).read_bytes())
    assert marker.exists(), "the bomb is none, and the test shows nothing"


def champion(platform: Platform) -> registry.Decision:
    """The shop's model in force, promoted by hand where the gate refused it."""
    found = registry.promoted(platform.lake, "rnn_model", shop.AS_OF)
    trained = registry.trained(platform.lake, "rnn_model", shop.AS_OF)
    assert trained is not None
    return found or champions.promote(platform.lake, trained.version, "for the test", "run")


def rescore(platform: Platform) -> None:
    for week in champions.scored_by_another(platform.lake):
        result = platform.run("refresh_weeks", week, selection=["next_basket_scores"])
        assert result.success, failure(result)


def scores(platform: Platform) -> list[dict[str, object]]:
    return platform.rows("next_basket_scores", shop.AS_OF)


@pytest.mark.parametrize("damage", ["one byte", "truncated", "0 bytes", "sealed again"])
def test_m2_a_damaged_champion_scores_nobody(trained: Platform, damage: str) -> None:
    """A flipped byte, a cut or empty file, or other weights under new digests: red, named, and the scores stay."""
    model = champion(trained)
    before = scores(trained)
    folder = Path(trained.lake.uri(model.artifact))
    content = bytearray((folder / artifact.WEIGHTS).read_bytes())
    content[-1] ^= 1
    cut = {"truncated": len(content) // 2, "0 bytes": 0}.get(damage, len(content))
    (folder / artifact.WEIGHTS).write_bytes(content[:cut])
    if damage == "sealed again":
        resealed(folder)
    result = trained.run("refresh_weeks", shop.AS_OF, selection=["next_basket_scores"])

    assert not result.success
    assert f"{model.artifact}: sha256" in failure(result)
    assert "Restore the folder or train again" in failure(result)
    assert scores(trained) == before


def test_m6_rolling_back_publishes_the_former_lists_again(trained: Platform) -> None:
    """Promote, score, roll back: the lists equal the former publication bit for bit, and every step is in the registry."""
    model = champion(trained)
    champions.roll_back(trained.lake, "a clean start", "run")
    rescore(trained)
    former = scores(trained)
    champions.promote(trained.lake, model.version, "better on paper", "run")
    rescore(trained)
    changed = scores(trained)
    taken, now = champions.roll_back(trained.lake, "customers complain", "run")
    rescore(trained)

    assert changed != former
    assert scores(trained) == former
    assert (taken.version, now) == (model.version, None)
    said = [decision.why for decision in registry.decisions(trained.lake, "rnn_model")][-3:]
    assert said[1:] == ["promoted by hand: better on paper", "rolled back by hand: customers complain"]


def test_m5_a_forced_promotion_is_recorded(trained: Platform) -> None:
    """Promoting against the gate's word says so for ever; an unknown version and one that serves already change nothing."""
    model = champion(trained)
    count = trained.lake.registry().num_rows
    with pytest.raises(LakeError, match="is promoted already"):
        champions.promote(trained.lake, model.version, "again", "run")
    with pytest.raises(LakeError, match=r"no version 'nothing'\. Choose one of the registry; the newest are: "):
        champions.promote(trained.lake, "nothing", "why not", "run")

    assert trained.lake.registry().num_rows == count
    champions.roll_back(trained.lake, "r", "run")
    forced = champions.promote(trained.lake, model.version, "forced", "run-7")
    last = registry.decisions(trained.lake, "rnn_model")[-1]
    assert (last.decision, last.why, last.run_id) == (PROMOTED, "promoted by hand: forced", "run-7")
    assert forced == last


def test_m6_without_a_champion_there_is_nothing_to_roll_back(trained: Platform) -> None:
    """One sentence, and nothing is recorded."""
    champion(trained)
    champions.roll_back(trained.lake, "r", "run")
    count = trained.lake.registry().num_rows

    with pytest.raises(LakeError, match="no champion to roll back"):
        champions.roll_back(trained.lake, "r", "run")
    assert trained.lake.registry().num_rows == count


def test_m5_a_challenger_does_not_meet_itself(trained: Platform) -> None:
    """Training a week again compares with the champion before, also when the week's own model serves already."""
    model = champion(trained)

    assert registry.promoted(trained.lake, "rnn_model", shop.AS_OF) is not None
    assert registry.promoted(trained.lake, "rnn_model", shop.AS_OF, besides=model.version) is None
