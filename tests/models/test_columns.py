"""What `fcnn` does to its columns before it learns, and the members that answer together."""

import math

import pytest
import torch

from geoclass.config.frontends import TableConfig
from geoclass.config.settings import RunConfig
from geoclass.config.toml import with_overrides
from geoclass.errors import ModelError
from geoclass.models.columns import Bins, Quantiles, Whiten
from geoclass.models.registry import create_model

TABLE = TableConfig(columns=tuple(f"c{number}" for number in range(4)))


def rows(n=500, *, seed=0):
    """Correlated columns, one with a long tail, one with few values, one constant."""
    normal = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    return torch.stack(
        [normal[:, 0], (normal[:, 0] + 0.5 * normal[:, 1]).exp(), normal[:, 2].sign(), torch.ones(n)], dim=1
    )


def test_quantiles_rise_from_0_to_1_bin_by_bin():
    quantiles = Quantiles(1, 4)
    quantiles.prepare(torch.arange(101.0)[:, None])
    shares = quantiles(torch.tensor([[-5.0], [0.0], [12.5], [50.0], [100.0], [1e6]]))[:, 0]
    expected = [[0, 0, 0, 0], [0, 0, 0, 0], [0.5, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert torch.allclose(shares, torch.tensor(expected, dtype=torch.float32))


def test_bins_have_mean_0_and_deviation_near_1_on_the_rows_they_saw():
    bins = Bins(1, 6)
    x = torch.arange(600.0)[:, None]
    bins.prepare(x)
    assert bins(x).mean(dim=0).abs().max() < 0.01
    assert ((bins(x).std(dim=0) > 0.6) & (bins(x).std(dim=0) < 1.1)).all()


def test_whitened_columns_are_normal_and_hardly_correlated_whatever_their_scale():
    whiten = Whiten(2, 16)
    x = rows()[:, :2]
    whiten.prepare(x)
    after = whiten(x).T.corrcoef()[0, 1]
    assert after.abs() < 0.55, "0.89 between the normal scores; shrinkage leaves about half"
    assert whiten(x).mean(dim=0).abs().max() < 1e-3
    assert whiten(x).abs().max() < 6, "an outlier is one row among others"
    other = Whiten(2, 16)
    other.prepare(x * torch.tensor([1.0, 1000.0]) + 3)
    assert torch.allclose(other(x * torch.tensor([1.0, 1000.0]) + 3), whiten(x), atol=1e-2), "ranks have no scale"


@pytest.mark.parametrize("encoding", ["bins", "whiten"])
def test_constant_columns_and_few_values_give_finite_numbers(encoding):
    network = create_model("fcnn", n_classes=3, front_end=TABLE, encoding=encoding).eval()
    network.prepare(rows())
    assert torch.isfinite(network(rows(seed=1) * 100)).all()


def test_what_was_seen_travels_with_the_weights():
    one, other = (create_model("fcnn", n_classes=3, front_end=TABLE, encoding="whiten").eval() for _ in range(2))
    one.prepare(rows())
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(rows(seed=1)), other(rows(seed=1)))


def test_members_answer_with_their_mean():
    network = create_model("fcnn", n_classes=3, front_end=TABLE, members=4).eval()
    x = rows(6)
    weights = network.head.weight.split(64, dim=1)
    alone = [
        member(x) @ weight.T + network.head.bias
        for member, weight in zip((network.dense, *network.others), weights, strict=True)
    ]
    assert torch.allclose(network(x), torch.stack(alone).mean(dim=0), atol=1e-5)


def test_members_take_the_columns_in_turn():
    network = create_model(
        "fcnn", n_classes=3, front_end=TABLE, members=3, encoding=["bins", "whiten"], hidden=(), dropout=0.0
    ).eval()
    network.prepare(rows())
    x = rows(6, seed=1)
    bins, whiten = (network.encoders[kind](x) for kind in ("bins", "whiten"))
    expected = torch.cat([bins, whiten, bins], dim=1) / 3
    torch.testing.assert_close(network(x), network.head(expected))
    network.train()
    assert network(x).shape == (6, 3)


@pytest.mark.parametrize(("members", "encoding"), [(1, ["bins", "whiten"]), (0, "plain"), (1, []), (1, "quantiles")])
def test_what_members_cannot_read_is_refused(members, encoding):
    with pytest.raises(ModelError, match=r"encoding must be|members must be"):
        create_model("fcnn", n_classes=3, front_end=TABLE, members=members, encoding=encoding)


def test_in_training_a_row_trains_one_member():
    network = create_model("fcnn", n_classes=3, front_end=TABLE, members=2, dropout=0.0).train()
    network(rows(8))[:4].sum().backward()
    assert network.dense[0][0].weight.grad.abs().max() > 0
    assert network.others[0][0][0].weight.grad.abs().max() == 0


def test_a_batch_too_small_to_be_dealt_out_trains_all_members():
    network = create_model("fcnn", n_classes=3, front_end=TABLE, members=4, dropout=0.0).train()
    torch.nn.functional.cross_entropy(network(rows(5)), torch.arange(5) % 3).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())


@pytest.mark.parametrize("arguments", [{"members": 0}, {"encoding": "bins", "n_bins": 0}, {"encoding": "ranks"}])
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(ModelError, match=str(next(reversed(arguments)))):
        create_model("fcnn", n_classes=3, front_end=TABLE, **arguments)


def test_they_can_be_set_from_the_command_line():
    config = with_overrides(RunConfig(), ["model.name=fcnn", "model.encoding=whiten", "model.members=4"])
    network = create_model("fcnn", n_classes=2, front_end=TABLE, **config.model.arguments)
    assert math.isclose(network.embedding_dim, 4 * 64)


def test_the_names_of_version_0_1_are_still_read():
    torch.manual_seed(0)
    former = create_model("fcnn", n_classes=3, front_end=TABLE, columns="bins", compress=True).eval()
    torch.manual_seed(0)
    current = create_model("fcnn", n_classes=3, front_end=TABLE, encoding="bins", asinh=True).eval()
    assert former.arguments == current.arguments == {"encoding": "bins", "asinh": True}
    x = torch.randn(5, 4)
    assert torch.equal(former(x), current(x))
