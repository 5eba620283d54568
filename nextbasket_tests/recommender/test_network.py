import dataclasses

import numpy as np
import torch

from nextbasket_assets.recommender import histories, metrics, purchases, ranking, trends, vocabulary
from nextbasket_assets.recommender.batches import Prefixes, Slices, targets
from nextbasket_assets.recommender.network import STRAIGHT, Network, NetworkConfig
from nextbasket_assets.recommender.pairs import Pairs
from nextbasket_assets.recommender.softmax import Cells
from nextbasket_assets.recommender.split import Rows
from nextbasket_tests import shops
from nextbasket_tests.recommender import small

SHOP = {
    "anna": [["a", "b", "c"], ["b", "d"], ["a", "e"], ["b", "c", "f"]],
    "ben": [["f"], ["a", "f"]],
    "carl": [["c", "d"], ["e"], ["c"], ["d"], ["a", "c"], ["e", "f"], ["c", "d"]],
}


def logits(network: Network, prefixes: Prefixes, customer: int) -> torch.Tensor:
    with torch.inference_mode():
        return network(small.all_rows(prefixes, customer))[:, vocabulary.FIRST_ITEM :]


def test_permuting_the_items_of_a_basket_changes_nothing(tmp_path):
    """A basket is a set: reversed items give the same logits for every prefix."""
    reverse = {customer: [items[::-1] for items in baskets] for customer, baskets in SHOP.items()}
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    mirrored, _ = small.prefixes_of(shops.write_sequences(tmp_path / "b.parquet", reverse))
    network = small.random_network(words)

    for customer in range(3):
        torch.testing.assert_close(
            logits(network, mirrored, customer), logits(network, prefixes, customer), atol=1e-5, rtol=0
        )


def test_padding_changes_nothing(tmp_path):
    """Ben scored beside Carl's longer history gets the logits that Ben gets alone."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    network = small.random_network(words)
    together = prefixes.batch(Slices(np.array([1, 2]), np.array([1, 1]), np.array([2, 7])), 32, small.WEEK)
    with torch.inference_mode():
        beside = network(together)[:2, vocabulary.FIRST_ITEM :]

    torch.testing.assert_close(beside, logits(network, prefixes, 1), atol=1e-5, rtol=0)


def test_a_basket_has_no_say_before_it_happened(tmp_path):
    """Changing basket t leaves the logits of all prefixes up to t alone, and moves those after it."""
    changed = SHOP | {"carl": [*SHOP["carl"][:4], ["b"], *SHOP["carl"][5:]]}
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    other, _ = small.prefixes_of(shops.write_sequences(tmp_path / "b.parquet", changed))
    network = small.random_network(words)
    before, after = logits(network, prefixes, 2), logits(network, other, 2)

    assert torch.equal(before[:4], after[:4])  # row r sees r + 1 baskets: rows 0 to 3 do not see basket 4
    assert all(not torch.allclose(x, y) for x, y in zip(before[4:], after[4:], strict=True))


def test_missions_are_heard(tmp_path):
    """The same items under another mission give other logits; an unassigned basket is not mission 0."""
    first = {c: [[1.0, 0.0]] * len(b) for c, b in SHOP.items()}
    nobody = {c: [[]] * (len(b) - 1) + [[0.0, 1.0]] for c, b in SHOP.items()}
    one, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP, missions=first))
    two, _ = small.prefixes_of(shops.write_sequences(tmp_path / "b.parquet", SHOP, missions=nobody))
    network = small.random_network(words, missions=2)

    assert not torch.allclose(logits(network, one, 0), logits(network, two, 0))


def test_padding_and_unknown_are_never_recommended(tmp_path):
    """Even with the highest of biases, ids 0 and 1 are on no list."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    network = small.random_network(words)
    with torch.no_grad():
        network.bias[: vocabulary.FIRST_ITEM] = 1e6
    top = ranking.rank(network, prefixes, Rows(np.arange(3), np.array([4, 2, 7])), 6, small.WEEK)

    assert (top.items >= vocabulary.FIRST_ITEM).all()


def test_a_model_that_knows_no_item_hits_nothing(tmp_path):
    """With only padding and unknown in the vocabulary, every list is empty and scores 0."""
    sequences = histories.read([shops.write_sequences(tmp_path / "a.parquet", SHOP)])
    words = vocabulary.build(sequences.items, 1000)
    encoded = histories.encode(sequences, words, 0)
    network = Network(NetworkConfig(vocabulary=words.size, missions=0))
    rows = Rows(np.array([0, 2]), np.array([3, 6]))
    moving = trends.of_histories(encoded, words.rates(1))
    prefixes = Prefixes.of(encoded, purchases.collect(encoded), moving)
    top = ranking.rank(network, prefixes, rows, 5, small.WEEK).items
    values = metrics.per_customer(top, ranking.truth(encoded, rows), (5,))

    assert values["recall", 5].tolist() == [0.0, 0.0]


def test_scoring_does_not_drop_anything_out(tmp_path):
    """A network left in training mode is put in evaluation mode: two rankings agree, dropout or not."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    network = small.random_network(words).train()
    rows = Rows(np.arange(3), np.array([4, 2, 7]))
    first, second = (
        ranking.rank(network, prefixes, rows, 6, small.WEEK),
        ranking.rank(network, prefixes, rows, 6, small.WEEK),
    )

    assert not network.training
    np.testing.assert_array_equal(first.log_shares, second.log_shares)


def test_logits_made_in_parts_are_what_the_terms_say(tmp_path):
    """Of 150 rows, more than two parts: bias and trend of the week, query times item, and repeat where bought before."""
    shop = {f"c{n:03}": SHOP[("anna", "carl")[n % 2]] for n in range(150)}
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", shop))
    network = small.random_network(words).eval()
    before = np.full(150, 3)
    batch = prefixes.batch(Slices(np.arange(150), before, before), 32, small.WEEK)
    with torch.inference_mode():
        terms = network.terms(batch)
        made = network.logits(batch, terms)
        expected = terms.query @ network.output.weight.T + network.bias
        expected += (batch.trends @ network.trend)[batch.row_weeks]
        expected[batch.pair_rows, batch.pair_items.long()] += terms.repeat

    items = slice(vocabulary.FIRST_ITEM, None)
    torch.testing.assert_close(made[:, items], expected[:, items], atol=1e-5, rtol=0)


def test_the_repeat_term_knows_how_popular_an_item_is(tmp_path):
    """Two items with one history and one vector differ by their biases alone, and only once the network has learned to look."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", {"a": [["a", "b"], ["a", "b"]]}))
    network = small.random_network(words)
    first, second = vocabulary.FIRST_ITEM, vocabulary.FIRST_ITEM + 1
    batch = prefixes.batch(Slices(np.array([0]), np.array([1]), np.array([1])), 32, small.WEEK)
    with torch.no_grad():
        for table in (network.pair_item, network.repeat_item):
            table.weight[second] = table.weight[first]
        network.bias[first], network.bias[second] = -1.0, -3.0
        network.pair_popular.zero_()
        blind = network.terms(batch).repeat
        network.pair_popular.fill_(1.0)
        looking = network.terms(batch).repeat

    assert blind[0] == blind[1]
    assert looking[0] != looking[1]


def test_the_pooled_history_is_a_mean(tmp_path):
    """With equal weights each row has the mean vector of the items bought before, once each, in both pools."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    network, batch = small.random_network(words), small.all_rows(prefixes, 0)
    own = Pairs(batch.pair_rows, batch.pair_items.long(), batch.row_offsets, words.size)
    pooled = network.pooled(own, torch.full((len(own.items), 2), 0.3))
    means = [network.items.weight[own.items[own.rows == row]].mean(0).repeat(2) for row in range(4)]

    torch.testing.assert_close(pooled, torch.stack(means), atol=1e-4, rtol=0)


def test_a_new_network_asks_for_items_like_those_bought(tmp_path):
    """With the query's layers silent, a customer who bought one item asks for its vector, by the weight of each pool."""
    prefixes, words = small.prefixes_of(
        shops.write_sequences(tmp_path / "a.parquet", {"anna": [["a"]], "ben": [["b"]]})
    )
    network = Network(NetworkConfig(vocabulary=words.size, missions=0)).eval()
    with torch.no_grad():
        network.query[-1].weight.zero_()
        network.query[-1].bias.zero_()
        asked = network.terms(small.all_rows(prefixes, 1)).query[0]

    torch.testing.assert_close(asked, 2 * STRAIGHT * network.items.weight[vocabulary.FIRST_ITEM + 1])


def test_a_basket_is_the_mean_of_its_items(tmp_path):
    """With one vector for all items and nothing told of the sizes, baskets of one and of three items leave one state."""
    prefixes, words = small.prefixes_of(
        shops.write_sequences(tmp_path / "a.parquet", {"a": [["a"]], "b": [["a", "b", "c"]]})
    )
    network = small.random_network(words)
    batch = prefixes.batch(Slices(np.arange(2), np.ones(2, int), np.ones(2, int)), 32, small.WEEK)
    with torch.inference_mode():
        network.items.weight[:] = network.items.weight[2]
        one, three = network.states(dataclasses.replace(batch, basket_features=batch.basket_features * 0))

    torch.testing.assert_close(one, three)


def test_what_fits_is_measured_against_the_average_item(tmp_path):
    """Over all known items the fits of a row come to nothing."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    network, batch = small.random_network(words), small.all_rows(prefixes, 0)
    every = torch.arange(vocabulary.FIRST_ITEM, words.size).repeat(4, 1)
    with torch.inference_mode():
        fits = network.fits(network.terms(batch), every)

    torch.testing.assert_close(fits.sum(1), torch.zeros(4), atol=1e-4, rtol=0)
    assert fits.abs().max() > 0.1


def test_a_mission_lifts_as_far_as_it_is_believed(tmp_path):
    """Believed by half, the second mission adds half of its log lifts to every row's logits."""
    missions = {c: [[1.0, 0.0]] * len(baskets) for c, baskets in SHOP.items()}
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP, missions=missions))
    network, batch = small.random_network(words, missions=2), small.all_rows(prefixes, 0)
    lifts = torch.arange(2.0 * words.size).view(2, -1)
    network.mission_lifts.copy_(lifts)
    network.mission_scale.fill_(0.5)
    with torch.inference_mode():
        terms, items = network.terms(batch), slice(vocabulary.FIRST_ITEM, None)
        plain, asked = (network.logits(batch, terms, mission) for mission in (None, torch.tensor([0.0, 1.0])))

    torch.testing.assert_close(
        asked[:, items] - plain[:, items], (lifts[1, items] / 2).expand(4, -1), atol=1e-4, rtol=0
    )


def test_the_loss_is_that_of_the_logits(tmp_path):
    """Carl's six targets, each of its own week: the mean over rows of the mean over items of minus log softmax."""
    prefixes, words = small.prefixes_of(shops.write_sequences(tmp_path / "a.parquet", SHOP))
    network, before = small.random_network(words), np.arange(1, 7)
    batch = prefixes.batch(Slices(np.array([2]), before[:1], before[-1:]), 32)
    wanted = targets(prefixes.histories, np.full(6, 2), before)
    with torch.no_grad():
        cells = Cells(torch.from_numpy(wanted.rows), torch.from_numpy(wanted.items))
        loss = network.loss(batch, cells, torch.ones(6))
        shares = torch.log_softmax(network(batch), 1)
    rows = [-shares[row, wanted.items[wanted.rows == row]].mean() for row in range(6)]

    assert len(set(batch.row_weeks.tolist())) == 6
    torch.testing.assert_close(loss, torch.stack(rows).mean())
