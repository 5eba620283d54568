"""What the launchpad takes: a number that no run survives is refused with its name, before anything is read."""

from typing import Any

import dagster as dg
import pytest
from pydantic import ValidationError

from nextbasket_assets.assets.run_config import ExportConfig, ScoringConfig, SequenceConfig, TrainingRunConfig

COUNTS = (
    *("held_out_weeks", "minimum_count", "embedding", "hidden", "pair_hidden", "context", "epochs", "rows"),
    *("slice_length", "trip_steps", "processes"),
)
ALL = (SequenceConfig, TrainingRunConfig, ExportConfig, ScoringConfig)


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        *[(ScoringConfig, {"k": k}) for k in (0, -1)],
        *[(TrainingRunConfig, {name: 0}) for name in (*COUNTS, "learning_rate", "half_life")],
        *[(TrainingRunConfig, {name: -1}) for name in ("seed", "patience", "dropout", "item_decay")],
        *[(TrainingRunConfig, {name: 1.0}) for name in ("dropout", "validation_share")],
        (TrainingRunConfig, {"learning_rate": float("nan")}),
        (TrainingRunConfig, {"learning_rate": 3.0}),
        *[(ExportConfig, {name: 0}) for name in ("k", "shortest")],
        *[(ExportConfig, {"holdout_share": share}) for share in (-0.1, 1.0)],
    ],
    ids=str,
)
def test_a_number_that_no_run_survives_is_refused(config: type[dg.Config], wrong: dict[str, Any]) -> None:
    """A list of no items, a layer of no width or a batch of no rows is refused with the field's name."""
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        config(**wrong)


def test_every_number_has_a_bound() -> None:
    """Whoever adds a number to the launchpad says from where on it means something."""
    unbounded = [
        f"{config.__name__}.{name}"
        for config in ALL
        for name, field in config.model_fields.items()
        if field.annotation in (int, float, int | None, float | None)
        and not any(hasattr(bound, "ge") or hasattr(bound, "gt") for bound in field.metadata)
    ]

    assert not unbounded, f"give {unbounded} a ge= or gt= in run_config.py"


def test_the_smallest_numbers_are_taken() -> None:
    """One item, one row, no dropout, no decay and no patience are choices; an export's fields may be left out."""
    smallest = TrainingRunConfig(**dict.fromkeys(COUNTS, 1), seed=0, patience=0, dropout=0.0, item_decay=0.0)

    assert (smallest.rows, ScoringConfig(k=1).k) == (1, 1)
    assert set(ExportConfig().model_dump().values()) == {None}
