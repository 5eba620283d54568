"""The GPU benchmark runs wherever torch runs, counts what a step must do, and refuses to pass a processor off as a GPU."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, packed
from benchmarks.gpu import Limits, Part

ROOT = Path(__file__).resolve().parents[2]


def test_a_share_is_of_the_limit_that_binds() -> None:
    """Two operations at one a second and one byte at ten a second take two seconds at least: in four, half of the limit."""
    limits = Limits(flops=1.0, bytes=10.0)

    assert Part(4.0, flops=2.0, bytes=1.0).share(limits) == 0.5
    assert Part(4.0, flops=2.0, bytes=30.0).share(limits) == 0.75


def test_every_dataset_has_its_steps_epochs_and_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted shop on the processor: three parts have their share of a limit far off, and both goals are told."""
    monkeypatch.setattr(
        gpu, "limits", lambda device: Limits(flops=1e15, bytes=1e15)
    )  # a busy machine's own may be slow
    monkeypatch.setattr(gpu, "TIMES", 2)
    monkeypatch.setattr(gpu, "ROWS", (64,))
    monkeypatch.setattr(gpu, "SCORED", 64)
    monkeypatch.setattr(gpu, "CONFIG", dataclasses.replace(gpu.CONFIG, epochs=1))
    packed.planted(tmp_path / "planted")
    outcome = gpu.measure([tmp_path / "planted"], torch.device("cpu"))
    shares = [figure.more["share"] for figure in outcome.figures if "share" in figure.more]

    assert len(shares) == 3
    assert all(0 < share < 1 for share in shares)
    assert all(figure.wall_seconds > 0 for figure in outcome.figures)
    assert [goal.bound for goal in outcome.goals] == [0.3, 200_000]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here: nothing is to be refused")
def test_without_a_gpu_nothing_is_measured(tmp_path: Path) -> None:
    """Where torch sees no GPU, the command says so and how to look, and writes nothing."""
    out = tmp_path / "out.json"
    command = [sys.executable, "benchmarks/gpu.py", str(tmp_path), "--json", str(out)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert refused.returncode == 1
    assert "torch sees no GPU here" in refused.stderr
    assert not out.exists()
