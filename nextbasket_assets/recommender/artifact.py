"""The artifact: a folder with weights, configuration, vocabulary, card, metrics and their digests. No pickle.

Nothing of a folder is read before the digest of every file has been checked.
"""

import dataclasses
import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.torch
import torch
from safetensors import SafetensorError

from nextbasket_assets.crash_points import reach
from nextbasket_assets.errors import NextbasketError
from nextbasket_assets.recommender import histories
from nextbasket_assets.recommender.calibration import Calibration, WithinWeek
from nextbasket_assets.recommender.histories import Histories, Sequences
from nextbasket_assets.recommender.network import Network, NetworkConfig
from nextbasket_assets.recommender.vocabulary import Vocabulary

WEIGHTS, CONFIG, VOCABULARY, CARD, METRICS = (
    "weights.safetensors",
    "config.json",
    "vocabulary.parquet",
    "card.md",
    "metrics.json",
)
FILES = (CARD, CONFIG, METRICS, VOCABULARY, WEIGHTS)
SUMS = "SHA256SUMS"
LATER = {"pair_popular", "pools_straight"}  # weights that earlier artifacts lack; at zero they say nothing


class ArtifactError(NextbasketError):
    """An artifact is missing, damaged or not ours; the message names the file and what to do."""


@dataclass(frozen=True)
class Model:
    """A trained model and all that scoring needs of it.

    Attributes:
        network: on the CPU, in evaluation mode.
        vocabulary: its items.
        calibration: scores to P(item in the next basket). within_week: that to P(item within 7 days).
        as_of: Monday of the last week it may know of.
        baskets: training baskets, the base of the vocabulary's counts.
        training: the settings it was trained with.
        mission_model: version of the mission model whose missions it takes; None when it was trained on none.
    """

    network: Network
    vocabulary: Vocabulary
    calibration: Calibration
    within_week: WithinWeek
    as_of: datetime.date
    baskets: int
    training: dict[str, Any]
    mission_model: str | None = None

    def encode(self, sequences: Sequences) -> Histories:
        """The sequences in the model's terms; missions of another mission model are left out.

        Raises:
            SequenceError: the sequences do not fit.
        """
        return histories.encode(sequences, self.vocabulary, self.network.config.missions, self.mission_model)


@dataclass(frozen=True)
class Loaded:
    """A verified model, its version and the sha256 of its SHA256SUMS."""

    model: Model
    version: str
    digest: str


def save(model: Model, directory: str, card: str, metrics: dict[str, Any]) -> Loaded:
    """Writes the folder, digests last, so that a folder cut short does not verify."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUMS).unlink(missing_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    reach("artifact")
    safetensors.torch.save_file(weights, folder / WEIGHTS)
    reach("artifact")
    config = {
        "as_of": model.as_of.isoformat(),
        "baskets": model.baskets,
        "network": dataclasses.asdict(model.network.config),
        "calibration": dataclasses.asdict(model.calibration),
        "within_week": dataclasses.asdict(model.within_week),
        "training": model.training,
        "mission_model": model.mission_model,
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    vocabulary = pa.table({"item": model.vocabulary.codes, "baskets": model.vocabulary.counts})
    pq.write_table(vocabulary, folder / VOCABULARY)
    reach("artifact")
    (folder / CARD).write_text(card)
    (folder / METRICS).write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n")
    reach("artifact")
    (folder / SUMS).write_text("".join(f"{_sha256(folder / name)}  {name}\n" for name in FILES))
    digest = verify(directory)
    return Loaded(model, version(model.as_of, digest), digest)


def load(directory: str) -> Loaded:
    """The model of a folder, after every digest has been checked.

    Raises:
        ArtifactError: the folder is missing or damaged, or its weights do not fit its configuration.
    """
    digest = verify(directory)
    folder = Path(directory)
    try:
        config = json.loads((folder / CONFIG).read_text())
        table = pq.read_table(folder / VOCABULARY)
        vocabulary = Vocabulary(table["item"].combine_chunks(), table["baskets"].to_numpy())
        as_of = datetime.date.fromisoformat(config["as_of"])
        baskets, training = int(config["baskets"]), dict(config["training"])
        network = Network(NetworkConfig(**config["network"]))
        weights = safetensors.torch.load_file(folder / WEIGHTS)
        for name in LATER - weights.keys():
            weights[name] = torch.zeros_like(network.get_parameter(name))
        network.load_state_dict(weights)
        calibration = Calibration(**config["calibration"])
        within_week = WithinWeek(**config["within_week"])
        mission_model = config["mission_model"]
    # With digests that fit, whatever is wrong inside is a file of another version, or of another maker.
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, OSError, SafetensorError) as error:
        raise ArtifactError(
            f"{WEIGHTS}, {CONFIG} and {VOCABULARY} do not fit this version of the code: "
            "train again, or use the code they were made with"
        ) from error
    model = Model(network.eval(), vocabulary, calibration, within_week, as_of, baskets, training, mission_model)
    return Loaded(model, version(as_of, digest), digest)


def verify(directory: str) -> str:
    """Digest of the artifact (sha256 of its SHA256SUMS), after every file has been checked against it.

    Raises:
        ArtifactError: a file is missing or has other bytes than were written.
    """
    folder = Path(directory)
    remedy = "restore the folder from a copy, roll back to another version, or train again"
    if not (folder / SUMS).is_file():
        raise ArtifactError(f"{SUMS} is missing, so the artifact cannot be trusted: {remedy}")
    content = (folder / SUMS).read_bytes()
    expected = {}
    for line in content.decode(errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        expected[name] = digest
    if sorted(expected) != sorted(FILES):
        raise ArtifactError(f"{SUMS} does not list exactly the artifact's files: {remedy}")
    for name in FILES:
        if not (folder / name).is_file():
            raise ArtifactError(f"{name} is missing from the artifact: {remedy}")
        if _sha256(folder / name) != expected[name]:
            raise ArtifactError(f"{name} does not have the bytes that were written: {remedy}")
    return hashlib.sha256(content).hexdigest()


def version(as_of: datetime.date, digest: str) -> str:
    """Version of a model: its as-of week and the start of its digest."""
    return f"{as_of.isoformat()}-{digest[:8]}"


def require_finite(network: Network) -> None:
    """Refuses a network that can only answer nonsense.

    Raises:
        ArtifactError: a weight is not finite, or all of them are zero.
    """
    weights = list(network.parameters())
    if not all(bool(torch.isfinite(w).all()) for w in network.state_dict().values()):
        raise ArtifactError(f"{WEIGHTS} holds weights that are not finite: train again, and do not promote this one")
    if not any(bool((w != 0).any()) for w in weights):
        raise ArtifactError(f"{WEIGHTS} holds only zeros: train again, and do not promote this one")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
