"""Pictures of aggregates, as PNG bytes."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "next_basket": "Item in the next basket",
    "within_week": "Item bought within 7 days",
    "visit": "Trip within 7 days",
}


def reliability_diagram(tables: Mapping[str, Any]) -> bytes:
    """What probabilities said against what happened, a panel for each table, a point for each tenth of the pairs.

    Args:
        tables: what the probabilities are of, to a table with `predicted`, `observed` and `pairs`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * max(len(tables), 1), 4), dpi=80, layout="constrained")
    for place, (name, table) in enumerate(tables.items(), start=1):
        _panel(figure.add_subplot(1, len(tables), place), TITLES.get(name, name), table)
    return _png(figure)


def training_curve(losses: Sequence[float], recalls: Sequence[float], best: int) -> bytes:
    """Loss and validation recall@10 after every epoch, and the epoch that was kept.

    Args:
        losses: mean loss of each epoch.
        recalls: recall@10 of the validation customers after each epoch.
        best: position of the epoch that was kept.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), dpi=80, layout="constrained")
    epochs = range(1, len(losses) + 1)
    panels = (("Mean loss of the training prefixes", losses), ("Recall@10 of the validation customers", recalls))
    for place, (title, values) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, 2, place)
        axes.plot(epochs, values, "o-", color="#1f6f8b", markersize=4)
        axes.axvline(best + 1, color="0.6", linestyle=":", label=f"kept: epoch {best + 1}")
        axes.set(title=title, xlabel="epoch", xticks=epochs)
        axes.legend(fontsize=8, frameon=False)
    return _png(figure)


def _png(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _panel(axes: "Axes", title: str, table: Any) -> None:
    end = 1.05 * max(*table.predicted, *table.observed, 1e-3)
    axes.plot([0, end], [0, end], color="0.7", linewidth=1, label="were it exact")
    axes.plot(table.predicted, table.observed, "o-", color="#1f6f8b", markersize=5, label="a tenth of the pairs each")
    axes.set(
        title=title,
        xlabel="predicted probability",
        ylabel="share that came true",
        xlim=(0, end),
        ylim=(0, end),
        aspect="equal",
    )
    axes.text(0.98, 0.02, f"{int(sum(table.pairs)):,} pairs", ha="right", transform=axes.transAxes, fontsize=8)
    axes.legend(loc="upper left", fontsize=8, frameon=False)
