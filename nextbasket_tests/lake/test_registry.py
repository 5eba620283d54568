"""The registry answers "which model, as of this week?", whatever happened since."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from deltalake.exceptions import DeltaError

from nextbasket_assets.lake import artifacts, registry
from nextbasket_assets.lake.publish import Provenance, publish, stage
from nextbasket_assets.lake.registry import PROMOTED, REFUSED, ROLLED_BACK, TRAINED, Decision
from nextbasket_assets.lake.tables import Lake, LakeError

EARLY, LATE = date(2006, 5, 1), date(2006, 8, 7)
LOOK = "import sys; from nextbasket_assets.lake.tables import Lake; Lake(sys.argv[1]).registry()"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


def decide(lake: Lake, week: date, version: str, decision: str, name: str = "rnn_model") -> None:
    registry.record(
        lake,
        Decision(
            week=week,
            name=name,
            version=version,
            decision=decision,
            why="recall@10 .2 > .1",
            metrics={"recall@10": 0.2},
            artifact=f"models/{version}",
            digest="d",
            inputs={"customer_sequences": 4},
            run_id="r",
        ),
    )


def champion(lake: Lake, week: date) -> str | None:
    found = registry.promoted(lake, "rnn_model", week)
    return found.version if found else None


def test_no_model_from_the_future(lake: Lake) -> None:
    """A week is served by the newest promoted model that is not later than the week."""
    assert champion(lake, LATE) is None
    decide(lake, LATE, "late", PROMOTED)
    decide(lake, EARLY, "early", PROMOTED)

    assert champion(lake, date(2006, 4, 24)) is None
    assert champion(lake, EARLY) == "early"
    assert champion(lake, date(2006, 8, 6)) == "early"
    assert champion(lake, LATE) == "late"


@pytest.mark.parametrize("said", ["Permission denied (os error 13)", "No space left on device (os error 28)"])
def test_a_registry_that_takes_no_writing_says_so(lake: Lake, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """A decision that cannot be written is one sentence with the place, in deltalake's words or in Python's."""
    for kind in (OSError, DeltaError):

        def closed(*_: object, kind: type[Exception] = kind, **__: object) -> None:
            raise kind(f"Generic LocalFileSystem error: {said}")

        monkeypatch.setattr(registry, "write_deltalake", closed)
        with pytest.raises(LakeError, match=r"model_registry \("):
            decide(lake, EARLY, "early", PROMOTED)


def test_refused_models_and_other_models_do_not_serve(lake: Lake) -> None:
    """A refused challenger leaves the champion in place; a mission model is no recommender."""
    decide(lake, EARLY, "early", PROMOTED)
    decide(lake, LATE, "worse", REFUSED)
    decide(lake, LATE, "missions", PROMOTED, name="mission_model")

    assert champion(lake, LATE) == "early"


def test_rolling_back_restores_the_previous_champion(lake: Lake) -> None:
    """After a rollback the former champion serves; promoting again brings the model back."""
    decide(lake, EARLY, "early", PROMOTED)
    decide(lake, LATE, "late", PROMOTED)
    decide(lake, LATE, "late", ROLLED_BACK)
    assert champion(lake, LATE) == "early"

    decide(lake, LATE, "late", PROMOTED)
    assert champion(lake, LATE) == "late"


def test_of_two_models_of_a_week_the_last_promoted_serves(lake: Lake) -> None:
    """Promoted again it serves again; trained again it serves on; besides itself it meets the other one."""
    for version, decision in (("a", PROMOTED), ("b", PROMOTED), ("a", PROMOTED), ("a", TRAINED), ("b", TRAINED)):
        decide(lake, EARLY, version, decision)
    rival, last = registry.promoted(lake, "rnn_model", LATE, besides="a"), registry.trained(lake, "rnn_model", EARLY)

    assert champion(lake, LATE) == "a"
    assert rival is not None
    assert last is not None
    assert (rival.version, last.version) == ("b", "b")


def test_a_week_whose_decision_is_lost_is_named(lake: Lake) -> None:
    """Models that were evaluated and that no decision knows: the newest week up to the one asked for tells."""
    with stage(lake, "model_evaluation", "run") as folder:
        publish(lake, "model_evaluation", folder, [EARLY, LATE], Provenance("run", "code", {}))
    decide(lake, EARLY, "early", PROMOTED)

    assert registry.lost(lake, "rnn_model") == registry.lost(lake, "rnn_model", LATE) == LATE
    assert registry.lost(lake, "rnn_model", EARLY) is None
    with pytest.raises(LakeError, match="no decision about rnn_model as of 2006-08-07"):
        registry.champion(lake, "rnn_model", LATE)
    with pytest.raises(LakeError, match="no decision about rnn_model as of 2006-08-07"):
        registry.champions(lake, "rnn_model", [EARLY, LATE])


def test_the_numbers_that_decided_are_kept(lake: Lake) -> None:
    """A decision reads back as it was written, metrics and inputs included."""
    decide(lake, EARLY, "early", PROMOTED)

    [decision] = registry.decisions(lake, "rnn_model")
    assert decision.metrics == {"recall@10": 0.2}
    assert decision.inputs == {"customer_sequences": 4}
    assert decision.why == "recall@10 .2 > .1"


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "add"])
def test_a_changed_artifact_is_refused_by_name(lake: Lake, damage: str) -> None:
    """One flipped byte, a shorter, a missing or a new file: the message names the file."""
    folder = Path(lake.root) / "models" / "m"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "weights").write_bytes(b"abc")
    digest = artifacts.seal(lake, "models/m")
    artifacts.verify(lake, "models/m", digest)

    target = folder / "sub" / "weights"
    match damage:
        case "flip":
            target.write_bytes(b"abd")
        case "truncate":
            target.write_bytes(b"")
        case "delete":
            target.unlink()
        case "add":
            (folder / "sub" / "weights2").write_bytes(b"x")

    with pytest.raises(LakeError, match=r"models/m: sha256 differs for sub/weights"):
        artifacts.verify(lake, "models/m", digest)


def test_new_digests_that_fit_hide_no_change(lake: Lake) -> None:
    """A folder that was sealed again with other content is not the registry's; an engine's hidden checksum changes nothing."""
    digest = artifacts.write(lake, "models/m", {"weights": b"abc"})
    Path(lake.path("models/m/.weights.crc")).write_bytes(b"x")
    artifacts.verify(lake, "models/m", digest)
    artifacts.write(lake, "models/m", {"weights": b"abd"})

    with pytest.raises(LakeError, match="sha256 of SHA256SUMS differs from the registry's"):
        artifacts.verify(lake, "models/m", digest)


@pytest.mark.slow
def test_a_program_that_ends_on_the_registry_ends_well(lake: Lake, tmp_path: Path) -> None:
    """Reading it leaves no thread behind that aborts a program which ends at once (seen in one of four, through deltalake)."""
    for version in range(8):
        decide(lake, EARLY, f"v{version}", PROMOTED)
    for _ in range(4):
        ends = [subprocess.Popen([sys.executable, "-c", LOOK, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(4)]

        assert [end.communicate()[1] for end in ends] == [b""] * 4
        assert [end.returncode for end in ends] == [0] * 4
