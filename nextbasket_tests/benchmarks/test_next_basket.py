"""One fold as the methods see it: what is known and counted, what is hidden, whom tuning asks, and what the runs add up to."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from benchmarks import next_basket, packed
from benchmarks.next_basket import CALIBRATED, Case
from benchmarks.results import Result
from nextbasket_assets.recommender import calibrating, purchases, withholding
from nextbasket_assets.recommender.artifact import Model
from nextbasket_assets.recommender.batches import Prefixes
from nextbasket_assets.recommender.network import Network, NetworkConfig
from nextbasket_assets.recommender.settings import TrainingConfig
from nextbasket_assets.recommender.vocabulary import FIRST_ITEM
from nextbasket_tests.benchmarks import folders

UNTUNED = {
    "global top-frequency",
    "personal top-frequency",
    "combined top-frequency",
    "TIFUKNN published",
    "UP-CF@r published",
}
PEERS = UNTUNED | {"TIFUKNN tuned", "UP-CF@r tuned"}
SHOP = [[[1, 2], [2], [3]], [[1], [4]], [[5], [5, 6]], [[1]]]
PARTS = ["train", "val", "test", "val"]


def case_of(folder: Path, strict: bool = True) -> Case:
    return Case.of(packed.load(folder), 0, strict)


def codes(case: Case, ids: np.ndarray) -> list[int]:
    """The folder's items under the fold's ids, empty places left out."""
    return [int(code) for code in case.words.decode(ids[ids >= FIRST_ITEM]).to_pylist()]


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Callable[[Case], dict[str, np.ndarray]]:
    """The lists of each peer in place of what they are worth."""

    def of(case: Case) -> dict[str, np.ndarray]:
        with monkeypatch.context() as patch:
            patch.setattr(next_basket, "measured", lambda make, case: make())
            found: dict[str, Any] = next_basket.peers(case)
            return found

    return of


@pytest.mark.slow
@pytest.mark.parametrize("dated", [True, False], ids=["dates", "no dates"])
@pytest.mark.parametrize("parts", [("train", "train", "val", "test"), ("val", "test")], ids=["train users", "none"])
def test_any_folder_of_the_format_gives_every_method_in_one_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], dated: bool, parts: list[str]
) -> None:
    """With days or without, with train users or without: all methods, metrics at 10 and 20, costs, and the rate."""
    folder = folders.habits(tmp_path / "habits", dated, parts)
    out = tmp_path / "out.json"
    monkeypatch.setattr(sys, "argv", ["next_basket.py", str(folder), "--epochs", "1", "--json", str(out)])
    next_basket.main()
    found = json.loads(out.read_text())

    assert set(found) == {"dataset", "protocol", "differences", "methods", "scoring"}
    assert found["protocol"] == {
        **{"strict": "train" in parts, "folds": [0], "seeds": [0], "epochs": 1},
        **{"judged": sum(parts[user % len(parts)] == "test" for user in range(30)), "left_out": 0},
    }
    assert [one["metric"] for one in found["differences"]] == ["recall@10", "ndcg@10"]
    assert found["dataset"] == "habits"
    assert set(found["methods"]) == PEERS | {"nextbasket"}
    for numbers in found["methods"].values():
        assert {f"{m}@{k}" for m in ("recall", "ndcg", "phr") for k in (10, 20)} | {"seconds", "peak_mb"} <= set(
            numbers
        )
        assert 0 < numbers["recall@20"] <= 1
    assert found["scoring"]["customers_per_second"] > 0
    assert "| nextbasket |" in capsys.readouterr().out


@pytest.mark.parametrize(("strict", "count", "baskets"), [(True, 0, 4), (False, 1, 5)])
def test_what_test_users_bought_is_known_and_counts_only_where_it_is_learned_from(
    tmp_path: Path, strict: bool, count: int, baskets: int
) -> None:
    """Item 5 is a test user's own: known, and in a strict run in none of the baskets; 4 and 6, in targets alone, are not."""
    case = case_of(folders.write(tmp_path / "shop", SHOP, [PARTS]), strict)

    assert [int(code) for code in case.words.codes.to_pylist()] == [1, 2, 3, 5]
    assert case.words.counts.tolist() == [2, 2, 1, count]
    assert case.baskets == baskets
    assert case.rates[FIRST_ITEM:] == pytest.approx(np.array([2, 2, 1, count]) / baskets)


def test_the_peers_see_every_basket_that_is_not_to_be_foretold(tmp_path: Path) -> None:
    """User, position and item of all histories, test users' too, and train users' targets, which the network learns from.

    Who has a target alone that is to be foretold has no basket.
    """
    case = case_of(folders.write(tmp_path / "shop", SHOP, [PARTS]))
    history = case.history()
    items = codes(case, history.items)

    assert list(zip(history.users.tolist(), history.positions.tolist(), items, strict=True)) == [
        *[(0, 0, 1), (0, 0, 2), (0, 1, 2), (0, 2, 3)],
        *[(1, 0, 1), (2, 0, 5)],
    ]
    assert history.baskets.tolist() == [3, 1, 1, 0]
    assert history.vocabulary == case.words.size


def test_neighbours_are_who_is_learned_from(tmp_path: Path) -> None:
    """Test users are nobody's neighbours in a strict run, nor is ever who has nothing but a target that is hidden."""
    folder = folders.write(tmp_path / "shop", SHOP, [PARTS])

    assert case_of(folder, strict=True).pool().tolist() == [0, 1]
    assert case_of(folder, strict=False).pool().tolist() == [0, 1, 2]


def test_tifuknn_does_not_borrow_from_other_test_users_in_a_strict_run(
    tmp_path: Path, lists: Callable[[Case], dict[str, np.ndarray]]
) -> None:
    """Test users bought 6 beside 5: it is not on a list of user 2, who bought 5, before the 1 and 9 of users learned from."""
    shop = [[[1, 9], [1]], [[1], [1]], [[5], [5]], [[5, 6], [6]], [[5, 6], [6]]]
    case = case_of(folders.write(tmp_path / "shop", shop, [["train", "val", "test", "test", "test"]]))
    found = lists(case)

    assert set(codes(case, found["TIFUKNN published"][0])[:3]) == {5, 1, 9}
    assert set(codes(case, found["TIFUKNN tuned"][0])[:3]) == {5, 1, 9}


def test_an_item_of_ones_own_alone_can_be_recommended(tmp_path: Path) -> None:
    """A test user who buys again what nobody else buys is served by who counts the own purchases, in a strict run too."""
    shop = [[[1], [2], [1]], [[1], [1]], [[5], [5]]]
    found = next_basket.peers(case_of(folders.write(tmp_path / "shop", shop, [["train", "val", "test"]])))

    assert set(found) == PEERS
    assert {name: float(found[name].values["ndcg", 10][0]) for name in UNTUNED} == {
        **dict.fromkeys(UNTUNED, 1.0),
        "global top-frequency": 0.0,
    }


def test_validation_users_choose_the_settings_of_peers(
    tmp_path: Path, lists: Callable[[Case], dict[str, np.ndarray]]
) -> None:
    """Where they want something else than test users do, the lists of tuned peers are as they want them.

    The first shop's validation user buys again what was bought last, and its test user what was bought most. The second
    shop's validation user buys what others buy, and its test user the own item.
    """
    last = [[[1], [1], [2], [2]], [[3], [3], [4], [3]], [[9], [9]]]
    case = case_of(folders.write(tmp_path / "last", last, [["val", "test", "train"]]))

    assert codes(case, lists(case)["UP-CF@r tuned"][0])[0] == 4
    assert codes(case, lists(case)["UP-CF@r published"][0])[0] == 3

    others = [*[[[9], [9], [9]]] * 3, [[2], [9]], [[3], [3]]]
    case = case_of(folders.write(tmp_path / "others", others, [["train", "train", "train", "val", "test"]]))

    assert codes(case, lists(case)["TIFUKNN tuned"][0])[0] == 9
    assert codes(case, lists(case)["TIFUKNN published"][0])[0] == 3


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A small packed folder of users with habits."""
    packed.planted(tmp_path / "planted", users=40, baskets=5, items=20)
    return tmp_path / "planted"


def seen(case: Case) -> list[object]:
    """All that a fold tells before anybody is judged."""
    history = case.history()
    return [
        *(case.words.codes.to_pylist(), case.words.counts.tolist(), case.baskets, case.rates.tolist()),
        *(case.moving.first, case.moving.lifts.tobytes()),
        *(history.users.tolist(), history.positions.tolist(), history.items.tolist(), history.baskets.tolist()),
        *(case.pool().tolist(), case.split.trained.tolist()),
    ]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("parts", "same"), [(["test"], PEERS), (["val"], UNTUNED)], ids=["test", "val"])
def test_no_target_of_who_judges_or_chooses_is_seen(
    planted: Path, lists: Callable[[Case], dict[str, np.ndarray]], strict: bool, parts: list[str], same: set[str]
) -> None:
    """With all these targets another item, nothing known, counted or listed changes; val's choose the tuned peers' settings."""
    before = case_of(planted, strict)
    folders.with_targets(planted, parts, 999)
    after = case_of(planted, strict)
    old, new = lists(before), lists(after)

    assert seen(after) == seen(before)
    assert {name for name in old if np.array_equal(old[name], new[name])} >= same


QUICK = TrainingConfig(epochs=1, embedding=8, hidden=8, pair_hidden=4)


def trained(case: Case, seed: int = 0) -> dict[str, bytes]:
    """The network after one epoch, by the name of each of its parts."""
    network = next_basket.ours(case, seed, QUICK)[1].network
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


def test_no_target_of_who_judges_or_chooses_is_trained_on(planted: Path) -> None:
    """With them another item, every byte of an epoch's network is the same; those of train users and the seed move it."""
    before = trained(case_of(planted))
    other_seed = trained(case_of(planted), seed=1)
    folders.with_targets(planted, ["val", "test"], 999)
    hidden = trained(case_of(planted))
    folders.with_targets(planted, ["train"], 3)
    learned = trained(case_of(planted))

    assert hidden == before
    assert learned["output.weight"] != before["output.weight"]
    assert other_seed["output.weight"] != before["output.weight"]


def test_ours_is_judged_by_test_users_and_lends_to_what_they_alone_buy(tmp_path: Path) -> None:
    """With fewer than ten items known, all are listed: recall@10 is the share of a target that is known, of 1 5, 1 8 and 9.

    Item 5 is known from a test user's history: to the network it is as item 4, the rarest of those learned from, is.
    """
    shop = [*[[[1], [1, 2], [2]]] * 3, [[1], [2], [4]], [[1], [8]], [[5], [1, 5]], [[1], [1, 8]], [[2], [9]]]
    case = case_of(folders.write(tmp_path / "shop", shop, [["train"] * 4 + ["val"] + ["test"] * 3]))
    result, model = next_basket.ours(case, 0, QUICK)
    rarest, lent = FIRST_ITEM + 2, FIRST_ITEM + 3

    assert codes(case, np.array([rarest, lent])) == [4, 5]
    assert result.customers.tolist() == [5, 6, 7]
    assert result.values["recall", 10].tolist() == [1, 0.5, 0]
    assert torch.equal(model.network.output.weight[lent], model.network.output.weight[rarest])
    assert model.network.bias[lent] == model.network.bias[rarest]


def test_a_shop_of_few_items_is_scored_whatever_was_learned_of_them(tmp_path: Path) -> None:
    """Three items are learned from, and a fourth is a test user's alone: who has no history gets a list all the same."""
    shop = [*[[[1], [1, 2], [2]]] * 3, [[3]], [[1], [3]], [[4], [1, 4]]]
    case = case_of(folders.write(tmp_path / "shop", shop, [["train"] * 4 + ["val", "test"]]))

    assert next_basket.scoring_rate(case, next_basket.ours(case, 0, QUICK)[1]) > 0


def test_probabilities_are_those_of_the_network_that_was_lent_to(tmp_path: Path) -> None:
    """Items that test users alone have take a share of all others: the curve that is shown is fitted on what is left."""
    own = [[[10 + user], [10 + user, 1], [1]] for user in range(12)]
    shop = [*[[[1], [1, 2], [2]]] * 12, *[[[2], [1], [1, 2]]] * 6, *own]
    case = case_of(folders.write(tmp_path / "shop", shop, [["train"] * 12 + ["val"] * 6 + ["test"] * 12]))
    model = next_basket.ours(case, 0, QUICK)[1]
    prefixes = Prefixes.of(case.encoded, purchases.collect(case.encoded), case.moving)
    withheld = withholding.draw(case.encoded, case.split.trained, 0)

    assert model.calibration == calibrating.in_basket(model.network, prefixes, case.split, withheld, QUICK.half_life)


def test_what_test_users_buy_moves_no_trend_in_a_strict_run(tmp_path: Path) -> None:
    """Nothing is learned from them: with their histories changed, every lift that the network reads is the same."""
    folder = folders.habits(tmp_path / "habits", True, ("train", "val", "test"))
    before = case_of(folder).moving
    folders.change(
        folder,
        "baskets.parquet",
        lambda t: t.set_column(
            2, "item", pc.if_else(pc.equal(pa.array(np.asarray(t["user"]) % 3), 2), t["item"][0], t["item"])
        ),
    )
    after = case_of(folder).moving

    assert np.array_equal(before.lifts, after.lifts)


def test_what_nothing_was_learned_of_is_as_the_rarest_are() -> None:
    """Items 0 and 4 of the counts 0, 1, 1, 50, 0 become the mean of items 1 and 2; these and the rest stay."""
    torch.manual_seed(0)
    network = Network(NetworkConfig(vocabulary=FIRST_ITEM + 5, missions=0, embedding=2, hidden=2, pair_hidden=2))
    torch.nn.init.normal_(network.repeat_item.weight)
    torch.nn.init.normal_(network.bias)
    tables = (network.items, network.output, network.pair_item, network.repeat_item)
    weights = [*(table.weight for table in tables), network.bias]
    before = [weight.detach().clone() for weight in weights]
    next_basket.lend(network, np.array([0, 1, 1, 50, 0]))

    for weight, was in zip(weights, before, strict=True):
        rarest = (was[FIRST_ITEM + 1] + was[FIRST_ITEM + 2]) / 2
        assert torch.allclose(weight[[FIRST_ITEM, FIRST_ITEM + 4]], torch.stack([rarest, rarest]))
        stayed = [0, 1, FIRST_ITEM + 1, FIRST_ITEM + 2, FIRST_ITEM + 3]
        assert torch.equal(weight[stayed], was[stayed])


@pytest.mark.parametrize("transductive", [False, True])
def test_every_seed_of_every_fold_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transductive: bool) -> None:
    """Fold 0 judges two users, whom one seed of two serves; fold 1 one user, whom both serve: recall (1/2 + 1/2 + 1) / 3."""
    shop = [[[1], [1]], [[2], [2]], [[1], [1]], [[1], [1]], [[2]]]
    folds = [["test", "test", "val", "train", "test"], ["val", "train", "test", "train", "test"]]
    folder = folders.write(tmp_path / "shop", shop, folds)
    asked = []

    def planted(case: Case, seed: int, config: TrainingConfig) -> tuple[Result, Model | None]:
        rows = case.split.test
        asked.append((len(rows.customers), seed, config.epochs))
        assert (case.split.trained[rows.customers] > 0).all() == transductive
        good = seed == 0 or len(rows.customers) == 1
        top = np.full((len(rows.customers), 20), -1)
        history = case.history()  # users 0 to 3 bought one thing each
        top[:, 0] = history.items[np.searchsorted(history.users, rows.customers)] if good else -1
        values = case.judge(top, rows) | {("calibration_error", CALIBRATED): np.zeros(len(rows.customers))}
        return Result(values, 1.0, 1.0, rows.customers), None

    monkeypatch.setattr(next_basket, "ours", planted)
    monkeypatch.setattr(next_basket, "scoring_rate", lambda case, model: 123.0)
    out = tmp_path / "out.json"
    command = ["next_basket.py", str(folder), "--seeds", "0,1", "--epochs", "3", "--json", str(out)]
    monkeypatch.setattr(sys, "argv", [*command, *(["--transductive"] if transductive else [])])
    next_basket.main()
    found = json.loads(out.read_text())

    assert asked == [(2, 0, 3), (2, 1, 3), (1, 0, 3), (1, 1, 3)]
    assert found["methods"]["nextbasket"]["recall@10"] == pytest.approx(2 / 3)
    assert found["methods"]["personal top-frequency"]["recall@10"] == 1
    assert found["protocol"] == {
        **{"strict": not transductive, "folds": [0, 1], "seeds": [0, 1], "epochs": 3},
        **{"judged": 3, "left_out": 2},
    }
    assert found["scoring"] == {"customers_per_second": 123.0}
