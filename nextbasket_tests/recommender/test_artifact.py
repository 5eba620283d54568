import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from nextbasket_assets.recommender import artifact
from nextbasket_assets.recommender.calibration import START, START_WITHIN_WEEK
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SHOP = {"anna": [["a", "b"], ["b", "c"]]}


@pytest.fixture
def saved(tmp_path):
    """A saved model of three items."""
    _, words = small.prefixes_of(shops.write_sequences(tmp_path / "s.parquet", SHOP))
    model = artifact.Model(
        small.random_network(words), words, START, START_WITHIN_WEEK, shops.week(3), 2, {"seed": 0}, "missions-1"
    )
    return artifact.save(model, str(tmp_path / "model"), "# card\n", {"recall": 0.5}), tmp_path / "model"


def test_what_is_loaded_is_what_was_saved(saved):
    """Weights, items, calibration, week and version come back equal."""
    written, folder = saved
    loaded = artifact.load(str(folder))

    assert (loaded.version, loaded.digest) == (written.version, written.digest)
    assert loaded.version == f"2006-05-01-{loaded.digest[:8]}"
    assert loaded.model.vocabulary.codes.equals(written.model.vocabulary.codes)
    assert loaded.model.calibration == START
    weights = written.model.network.state_dict()
    assert all(torch.equal(w, weights[name]) for name, w in loaded.model.network.state_dict().items())


def test_an_older_artifact_scores_as_it_did(saved, monkeypatch):
    """Weights from before popularity was read and pools went straight load as a network to which both say nothing."""
    written, folder = saved
    weights = safetensors.torch.load_file(folder / artifact.WEIGHTS)
    del weights["pair_popular"], weights["pools_straight"]
    monkeypatch.setattr(artifact, "verify", lambda directory: written.digest)
    safetensors.torch.save_file(weights, folder / artifact.WEIGHTS)
    network = artifact.load(str(folder)).model.network

    assert not network.pools_straight.any()
    assert torch.equal(network.pair_vectors(), network.pair_item.weight)
    assert torch.equal(network.pair_item.weight, written.model.network.pair_item.weight)


@pytest.mark.parametrize("name", artifact.FILES)
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_file_is_named_and_nothing_is_read(saved, name, damage):
    """One flipped bit, one missing byte or a missing file: an error that names the file and the way out."""
    file: Path = saved[1] / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    {"flip": lambda: file.write_bytes(content), "cut": lambda: file.write_bytes(content[:-1]), "remove": file.unlink}[
        damage
    ]()
    with pytest.raises(artifact.ArtifactError, match=f"{name}.*train again"):
        artifact.load(str(saved[1]))


def test_without_digests_nothing_is_trusted(saved):
    """A folder without SHA256SUMS, or whose list lost a file, does not load."""
    sums = saved[1] / artifact.SUMS
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(lines[1:]))
    with pytest.raises(artifact.ArtifactError, match="does not list exactly"):
        artifact.load(str(saved[1]))
    sums.unlink()
    with pytest.raises(artifact.ArtifactError, match="SHA256SUMS is missing"):
        artifact.load(str(saved[1]))


def test_weights_of_another_shape_are_refused(saved):
    """A configuration that does not fit the weights, digests and all, is an error and not a silent partial load."""
    folder = saved[1]
    config = json.loads((folder / artifact.CONFIG).read_text())
    config["network"]["hidden"] = 12
    (folder / artifact.CONFIG).write_text(json.dumps(config))
    names = "".join(f"{artifact._sha256(folder / name)}  {name}\n" for name in artifact.FILES)
    (folder / artifact.SUMS).write_text(names)
    with pytest.raises(artifact.ArtifactError, match="do not fit"):
        artifact.load(str(folder))


def test_what_is_not_learned_must_be_finite_too(saved):
    """A lift of a mission that is no number is refused like a weight."""
    network = saved[0].model.network
    network.mission_scale.fill_(float("nan"))
    with pytest.raises(artifact.ArtifactError, match="not finite"):
        artifact.require_finite(network)


@pytest.mark.parametrize(("value", "words"), [(float("nan"), "not finite"), (0.0, "only zeros")])
def test_a_model_that_can_only_answer_nonsense_is_refused(saved, value, words):
    """All weights NaN, or all zero."""
    network = saved[0].model.network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)
    with pytest.raises(artifact.ArtifactError, match=words):
        artifact.require_finite(network)
