import struct

import numpy as np

from nextbasket_assets.recommender.metrics import Reliability
from nextbasket_assets.report.plots import reliability_diagram, training_curve

TABLE = Reliability(np.array([0.1, 0.5]), np.array([0.2, 0.5]), np.array([10, 10]))


def test_a_diagram_is_a_png_with_a_panel_for_each_table() -> None:
    """Three tables give a picture three times as wide as one; other numbers give another picture."""
    one, three = (
        reliability_diagram(dict.fromkeys(names, TABLE)) for names in (["visit"], ["visit", "within_week", "x"])
    )
    other = reliability_diagram({"visit": Reliability(TABLE.predicted, TABLE.predicted, TABLE.pairs)})
    widths = [struct.unpack(">I", picture[16:20])[0] for picture in (one, three)]

    assert one.startswith(b"\x89PNG")
    assert widths[1] == 3 * widths[0]
    assert other != one


def test_the_training_curve_shows_which_epoch_was_kept() -> None:
    """The picture is a PNG, and another one when another epoch was kept."""
    first, second = (training_curve([0.5, 0.4, 0.3], [0.1, 0.2, 0.15], best) for best in (0, 1))

    assert first.startswith(b"\x89PNG")
    assert first != second
