"""DP-SGD: the gradients that it sums, the noise that it adds, and what it may ask."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from scipy import stats

from pasteur.errors import BudgetError, ConfigError, PrivacyError
from pasteur.privacy import Budget, ExactMechanisms, Ledger, Sensitivity, Sigma, SubsampledGaussian
from pasteur.privacy.sgd import BELOW, STAMP, PrivateSeries, Training, clipped_sum, layers

torch = pytest.importorskip("torch")

BUDGET = Budget(epsilon=3, delta=1e-6)
QUICK = Training(q=0.2, steps=5, clip=0.5, rate=1e-2)


def network(seed=0, width=6):
    torch.manual_seed(seed)
    linear = torch.nn.Linear
    return torch.nn.Sequential(
        linear(4, width), torch.nn.Tanh(), linear(width, 3, bias=False), torch.nn.ReLU(), linear(3, 4)
    )


def loss_of(net):
    return lambda rows: ((net(rows) - rows) ** 2).mean(1)


def ledger(training=QUICK, share=0.5, budget=BUDGET):
    return Ledger(budget, training.accountant(budget, share).name)


def private(rows, units, book=None, **options):
    return PrivateSeries(rows, units, book or ledger(), salt="salt", **options)


def batch(rng, units=7, most=3):
    """Units of 1 to `most` rows: (units, most, 4) and shares."""
    rows = torch.as_tensor(rng.normal(size=(units, most, 4)), dtype=torch.float32)
    counts = rng.integers(1, most + 1, size=units)
    shares = torch.as_tensor((np.arange(most) < counts[:, None]) / counts[:, None], dtype=torch.float32)
    return rows * (shares > 0)[:, :, None], shares


def explicit(net, rows, shares, clip):
    """One backward pass a unit, clipped and summed."""
    total = [torch.zeros_like(weight) for weight in net.parameters()]
    for unit, share in zip(rows, shares, strict=True):
        net.zero_grad()
        (loss_of(net)(unit) * share).sum().backward()
        gradient = [weight.grad for weight in net.parameters()]
        norm = torch.sqrt(sum((part**2).sum() for part in gradient))
        scale = min(1.0, clip * BELOW / float(norm))
        total = [whole + scale * part for whole, part in zip(total, gradient, strict=True)]
    return total


@pytest.mark.parametrize("most", [1, 3])
@pytest.mark.parametrize("clip", [0.05, 0.5, 100.0])
def test_ghost_clipping_is_explicit_clipping(most, clip):
    net = network().double()
    rows, shares = (part.double() for part in batch(np.random.default_rng(most), most=most))
    ghost = clipped_sum(layers(net), loss_of(net), rows, shares, clip=clip)
    for found, true in zip(ghost, explicit(net, rows, shares, clip), strict=True):
        np.testing.assert_allclose(found.numpy(), true.numpy(), rtol=0, atol=6e-13)


@pytest.mark.slow
def test_gradients_are_those_of_opacus():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opacus = pytest.importorskip("opacus", reason="opacus comes with the extra `deep`")
        net = network()
        rows, shares = batch(np.random.default_rng(1), units=20, most=1)
        ours = clipped_sum(layers(net), loss_of(net), rows, shares, clip=0.3)
        optimizer = opacus.optimizers.DPOptimizer(
            torch.optim.SGD(net.parameters(), lr=1.0),
            noise_multiplier=0.0,
            max_grad_norm=0.3,
            expected_batch_size=20,
            loss_reduction="sum",
        )
        sampled = opacus.GradSampleModule(net, loss_reduction="sum")
        ((sampled(rows[:, 0]) - rows[:, 0]) ** 2).mean(1).sum().backward()
        optimizer.clip_and_accumulate()
    for mine, theirs in zip(ours, net.parameters(), strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs.summed_grad.numpy(), atol=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_no_unit_passes_the_bound_whatever_it_holds(bad):
    net = network()
    rows, shares = batch(np.random.default_rng(2))
    rows[0] = bad
    alone = clipped_sum(layers(net), loss_of(net), rows[:1], shares[:1], clip=0.5)
    norm = float(torch.sqrt(sum((part.double() ** 2).sum() for part in alone)))
    assert norm <= 0.5


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_no_unit_passes_the_bound_where_its_rows_nearly_cancel(scale):
    """A norm of gradients that cancel is that of their rounding, unless it is taken in more digits than they have."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(64, 32))
    signs = torch.tensor([1.0, -1.0])
    for near in (1e-1, 1e-3, 1e-5):
        rows = scale * torch.randn(1, 2, 64)
        rows[0, 1] = rows[0, 0] + near * scale * torch.randn(64)
        weights = torch.randn(32)
        found = clipped_sum(
            layers(net), lambda r, w=weights: (net(r) @ w) * signs, rows, torch.full((1, 2), 0.5), clip=1e-3
        )
        assert float(torch.cat([part.reshape(-1) for part in found]).norm()) <= 1e-3


def test_a_sum_over_many_units_is_moved_by_one_of_them_by_no_more_than_the_clip():
    net = torch.nn.Sequential(torch.nn.Linear(3, 2))
    rows, shares = torch.ones(40_960, 1, 3), torch.ones(40_960, 1)

    def summed(count):
        return clipped_sum(layers(net), lambda r: 50 * net(r).sum(1), rows[:count], shares[:count], clip=0.03)

    moved = [whole - less for whole, less in zip(summed(40_960), summed(40_959), strict=True)]
    assert float(torch.cat([part.reshape(-1) for part in moved]).norm()) <= 0.03


def test_what_no_ghost_norm_covers_is_refused():
    with pytest.raises(PrivacyError, match=r"weight '0.weight' must belong to a Linear layer"):
        layers(torch.nn.Sequential(torch.nn.Conv1d(1, 1, 1)))
    with pytest.raises(PrivacyError, match="it mixes units"):
        layers(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2, affine=False)))
    net = network()
    rows, shares = batch(np.random.default_rng(3))
    with pytest.raises(PrivacyError, match="must run once"):
        clipped_sum(layers(net), lambda each: net(net(each)).sum(1), rows, shares, clip=1.0)


def test_units_take_part_as_a_binomial_says():
    # D13: the accountant assumes Poisson sampling.
    event = SubsampledGaussian(sigma=Sigma(1), sensitivity=Sensitivity(1), q=0.05, steps=1)
    mechanisms = ExactMechanisms()
    drawn = np.stack([mechanisms.taking_part(400, event) for _ in range(2000)])
    binomial = stats.binom(400, 0.05)
    sizes = drawn.sum(1)
    edges = binomial.ppf(np.linspace(0.1, 0.9, 9))
    cells = np.bincount(np.searchsorted(edges, sizes), minlength=10)
    expected = np.diff(np.concatenate([[0], binomial.cdf(edges), [1]])) * len(sizes)
    assert stats.chisquare(cells, expected).pvalue > 1e-10
    assert stats.chisquare(drawn.sum(0)).pvalue > 1e-10  # no unit more often than another
    assert not (drawn == drawn[0]).all()
    whole = SubsampledGaussian(sigma=Sigma(1), sensitivity=Sensitivity(1), q=1, steps=1)
    assert mechanisms.taking_part(5, whole).all()


def test_the_noise_of_a_step_is_normal_and_of_the_declared_sd():
    event = SubsampledGaussian(sigma=Sigma(2.5), sensitivity=Sensitivity(1), q=0.05, steps=1)
    exact = np.full(200_000, 7.0)
    noise = ExactMechanisms().step(exact, event) - exact
    assert stats.kstest(noise / 2.5, "norm").pvalue > 1e-10
    assert np.std(noise) == pytest.approx(2.5, rel=0.02)
    with pytest.raises(PrivacyError, match="must be float64"):
        ExactMechanisms().step(exact.astype(np.float32), event)


def test_training_charges_the_whole_first_and_stays_under_its_cost():
    book, rng = ledger(), np.random.default_rng(4)
    series = private(rng.normal(size=(50, 4)), np.arange(50), book)
    cost = book.remaining / 2
    net = network()
    before = [weight.clone() for weight in net.parameters()]
    series.train(net, loss_of(net), QUICK, cost=cost)
    assert any(not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))
    assert 0.99 * cost <= book.spent <= cost
    assert [type(event).__name__ for event in book.events] == ["DiscreteGaussian", "SubsampledGaussian"]
    assert book.events[1].steps == QUICK.steps
    assert STAMP in book.claim()["stamps"]
    assert book.private
    with pytest.raises(BudgetError):
        series.train(net, loss_of(net), QUICK, cost=2 * book.remaining)
    assert len(book.events) == 2


def test_the_default_accountant_cannot_price_it():
    series = private(np.zeros((3, 4)), np.arange(3), Ledger(BUDGET))
    with pytest.raises(PrivacyError, match=r"accountant \(gdp\) must be rdp"):
        series.train(network(), loss_of(network()), QUICK, cost=0.01)


def test_only_one_relation_is_known():
    with pytest.raises(PrivacyError, match=r"relation \(replace\) must be add_remove"):
        private(np.zeros((3, 4)), np.arange(3), Ledger(Budget(epsilon=1, relation="replace")))


def test_it_is_not_saved():
    with pytest.raises(PrivacyError, match="holds data"):
        pickle.dumps(private(np.zeros((3, 4)), np.arange(3)))


@pytest.mark.parametrize("field", ["q", "steps", "clip", "rate", "average"])
def test_settings_out_of_range(field):
    with pytest.raises(ConfigError, match=field):
        Training(**{field: -1})


class Frozen:
    """Takes part and noise from a table by unit number, and keeps the exact sums."""

    stamps = ()

    def __init__(self, parts, gone=None):
        self.parts, self.gone, self.sums, self.at = parts, gone, [], 0
        self.noise = np.random.default_rng(9)

    def gaussian(self, exact, event):
        return np.array(50)

    def taking_part(self, units, event):
        chosen = self.parts[self.at]
        self.at += 1
        return chosen if self.gone is None else np.delete(chosen, self.gone)

    def step(self, exact, event):
        self.sums.append(exact)
        return self.noise.normal(size=exact.shape)


@pytest.mark.parametrize("gone", [0, 3, 11])
def test_replay_without_a_unit_moves_no_sum_by_more_than_the_clip(gone):
    rng = np.random.default_rng(5)
    units = np.repeat([f"{number:02}" for number in range(12)], 3)
    rows = rng.normal(size=(36, 4)) * 10
    parts = rng.random((QUICK.steps, 12)) < 0.7
    sums, weights = [], []
    for left in (np.ones(36, dtype=bool), units != f"{gone:02}"):
        frozen, net = Frozen(parts, None if left.all() else gone), network()
        series = private(rows[left], units[left], max_rows_per_unit=2, mechanisms=frozen)
        series.train(net, loss_of(net), QUICK, cost=ledger().remaining / 2)
        sums.append(np.stack(frozen.sums))
        weights.append(torch.nn.utils.parameters_to_vector(net.parameters()).detach().numpy())
    moved = np.linalg.norm(sums[0] - sums[1], axis=1)
    assert (moved <= QUICK.clip).all()
    assert (moved > 0.9 * QUICK.clip).any()  # a unit that takes part is clipped, not dropped
    assert (weights[0] == weights[1]).all()  # what comes out follows from the answers alone


def test_a_unit_with_ten_times_its_rows_weighs_as_one():
    rows = np.concatenate([np.zeros((1, 4)), np.full((20, 4), 3.0)])
    series = private(rows, ["a"] + ["b"] * 20, max_rows_per_unit=2)
    assert series._rows.shape == (2, 2, 4)
    np.testing.assert_allclose(series._weights.sum(1), 1)
