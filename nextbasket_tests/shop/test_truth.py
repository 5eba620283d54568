import numpy as np
import pytest

from nextbasket_assets.shop.truth import normalised_mutual_information


def test_relabelled_missions_agree_fully() -> None:
    """The same partition under other names has NMI 1."""
    assert normalised_mutual_information(list("aabbc"), list("zzxxy")) == pytest.approx(1.0)


def test_agreement_is_worked_by_hand() -> None:
    """Merging two of four equal missions keeps 1.5 of 2 bits: NMI = 2 * 1.5 / (1.5 + 2)."""
    assert normalised_mutual_information(list("aabc"), list("abcd")) == pytest.approx(2 * 1.5 / 3.5)


def test_independent_tags_do_not_agree() -> None:
    """Tags that cross the missions evenly have NMI 0, random ones nearly so."""
    rng = np.random.default_rng(0)
    tags, planted = rng.integers(0, 8, (2, 20_000)).astype(str).tolist()

    assert normalised_mutual_information(list("aabb"), list("xyxy")) == pytest.approx(0.0)
    assert normalised_mutual_information(tags, planted) < 0.001


def test_one_tag_for_everything_says_nothing() -> None:
    """A constant labelling has NMI 0 against missions, and 1 against another constant."""
    assert normalised_mutual_information(list("aaaa"), list("xyxy")) == pytest.approx(0.0)
    assert normalised_mutual_information(list("aaaa"), list("xxxx")) == 1.0


@pytest.mark.parametrize(("tags", "planted"), [([], []), (["a"], ["a", "b"])])
def test_unequal_or_empty_labellings_are_refused(tags: list[str], planted: list[str]) -> None:
    """Labellings of no baskets, or of different numbers of baskets, have no agreement."""
    with pytest.raises(ValueError, match="as many tags as planted missions"):
        normalised_mutual_information(tags, planted)
