from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import pasteur.privacy
from pasteur.errors import PrivacyError
from pasteur.privacy import DiscreteGaussian, DiscreteLaplace, ExactMechanisms, entropy, grid, kernels, noise
from pasteur.privacy.entropy import SystemEntropy

DRAWS = 40_000
ALPHA = 1e-10  # no false alarm in as many runs as there will ever be


def fits(drawn, log_mass, reach):
    """p-value of a chi-squared test of whole numbers against probabilities exp(log_mass(x)), pooled at 20 expected."""
    x = np.arange(-reach, reach + 1)
    mass = np.exp(log_mass(x))
    expected = mass / mass.sum() * len(drawn)
    observed = np.bincount(np.clip(drawn, -reach, reach) + reach, minlength=len(x))
    _, groups = np.unique((np.cumsum(expected) // 20).astype(int), return_inverse=True)
    return stats.chisquare(np.bincount(groups, observed), np.bincount(groups, expected)).pvalue


@pytest.mark.parametrize("sigma", [0.5, 1, 2, 5.9, 37, 1024 * 3.3])
def test_gaussian_has_the_analytic_probabilities(sigma):
    drawn = noise.gaussian(DRAWS, sigma, SystemEntropy())
    assert drawn.dtype == np.int64
    assert drawn.shape == (DRAWS,)
    assert fits(drawn, lambda x: -(x**2) / (2 * sigma**2), int(7 * sigma) + 8) > ALPHA


@pytest.mark.parametrize("scale", [0.3, 1, 2.7, 40])
def test_laplace_has_the_analytic_probabilities(scale):
    drawn = noise.laplace(DRAWS, scale, SystemEntropy())
    assert drawn.dtype == np.int64
    assert fits(drawn, lambda x: -np.abs(x) / scale, int(30 * scale) + 5) > ALPHA


def opendp(kind, size, scale):
    """Draws of another library, which are exact too and take twenty times as long."""
    from opendp import domains, measurements, metrics, mod

    mod.enable_features("contrib")
    space = domains.vector_domain(domains.atom_domain(T="i64"))
    if kind is noise.gaussian:
        return np.array(measurements.make_gaussian(space, metrics.l2_distance(T="i64"), scale)([0] * size))
    return np.array(measurements.make_laplace(space, metrics.l1_distance(T="i64"), scale)([0] * size))


@pytest.mark.parametrize("scale", [0.7, 3.7, 50.0])
@pytest.mark.parametrize("draw", [noise.gaussian, noise.laplace])
def test_opendp_draws_from_the_same_distribution(draw, scale):
    theirs, ours = opendp(draw, 6000, scale), draw(6000, scale, SystemEntropy())
    edges = np.unique(np.quantile(theirs, np.linspace(0, 1, 40)).astype(int))[1:-1]
    table = np.array([np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1) for x in (theirs, ours)])
    assert stats.chi2_contingency(table[:, table.sum(axis=0) > 10]).pvalue > ALPHA


@pytest.mark.parametrize("rows", [0, 20, 20_000])
@pytest.mark.parametrize("sigma", [1.0, 12.5, 4000.0])
def test_d03_sd_of_the_noise_is_the_declared_sigma_whatever_n(make_private, rows, sigma):
    sizes = {"a": 250, "b": 250}
    columns = {name: np.random.default_rng(0).integers(0, 250, rows) for name in sizes}
    exact = np.zeros((250, 250))
    np.add.at(exact, (columns["a"], columns["b"]), 1)
    private = make_private(columns, sizes=sizes, epsilon=50)
    measured = private.measure([("a", "b")], sigmas=[sigma], label="pair")[0]
    assert (measured.values - exact).std() == pytest.approx(sigma, rel=0.02)
    assert measured.sigma == sigma


@pytest.mark.parametrize("rows", [0, 20_000])
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_d03_sd_of_laplace_noise_is_that_of_the_declared_scale(make_private, rows, scale):
    columns = {"a": np.random.default_rng(0).integers(0, 250, rows), "b": np.zeros(rows, dtype=int)}
    private = make_private(columns, sizes={"a": 250, "b": 160}, epsilon=50)
    exact = np.zeros((250, 160))
    exact[:, 0] = np.bincount(columns["a"], minlength=250)
    measured = private.measure_laplace([("a", "b")], scales=[scale], label="pair")[0]
    sd = (2 * np.exp(-1 / scale)) ** 0.5 / (1 - np.exp(-1 / scale))
    assert (measured.values - exact).std() == pytest.approx(sd, rel=0.05)
    assert measured.sigma == pytest.approx(sd, rel=1e-12)


def test_d05_sd_at_every_call(make_private, rows):
    sizes = {"a": 200, "b": 200}
    private = make_private({"a": [], "b": []}, sizes=sizes, epsilon=1)
    share = private.ledger.total / 3
    for cost in (share, share / 10, share / 100):
        sigma = private.sigma(cost)
        measured = private.measure([("a", "b")], sigmas=[sigma], label="pair")[0]
        assert measured.values.std() == pytest.approx((2 * cost) ** -0.5, rel=0.03)
        assert private.ledger.events[-1].sigma == sigma == measured.sigma


def test_d21_noise_is_whole_numbers_on_whole_numbers():
    mechanisms = ExactMechanisms()
    exact = np.arange(6, dtype=np.int64).reshape(2, 3)
    gaussian, laplace = DiscreteGaussian(sigma=2, sensitivity=1), DiscreteLaplace(scale=2, sensitivity=1)
    for noisy in (mechanisms.gaussian(exact, gaussian), mechanisms.laplace(exact, laplace)):
        assert noisy.dtype == np.int64
        assert noisy.shape == exact.shape
    for wrong in (exact.astype(float), exact.astype(np.int32), exact / 6):
        with pytest.raises(PrivacyError, match=r"must be int64: noise goes on whole counts only"):
            mechanisms.gaussian(wrong, gaussian)


def test_d21_no_floating_generator_in_the_room():
    folder = Path(pasteur.privacy.__file__).parent
    banned = re.compile(
        r"np\.random|numpy\.random|default_rng|^\s*(import|from) random\b|scipy\.stats|\.rvs\(", re.MULTILINE
    )
    for path in folder.glob("*.py"):
        assert not banned.search(path.read_text(encoding="utf-8")), path.name
    for name in ("noise", "selection", "entropy", "kernels"):  # and no probability is ever computed as a float
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        assert not re.search(r"\b(np|math)\.(exp|log|sqrt)|float\(|float64", text), name


def test_d23_two_forks_of_one_process_draw_different_noise():
    noise.gaussian(10, 50.0, SystemEntropy())  # so that any state there was is made before the fork
    noise.gaussian(1000, 50.0, SystemEntropy())
    seen = {in_a_fork(size) for _ in range(2) for size in (10, 1000)}
    assert len(seen) == 4


def in_a_fork(size):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, noise.gaussian(size, 50.0, SystemEntropy())[:10].tobytes())
        os._exit(0)
    os.waitpid(child, 0)
    drawn = os.read(read, 80)
    os.close(read)
    os.close(write)
    return drawn


def test_d23_the_same_question_twice_has_two_answers(make_private, rows):
    answers = [
        make_private(rows(100)).measure([("a",)], sigmas=[100.0], label="x")[0].values.tolist() for _ in range(4)
    ]
    assert len({tuple(answer) for answer in answers}) > 1


def test_debug_seed_repeats_and_stamps(make_private, rows):
    def run(seed):
        private = make_private(rows(100), mechanisms=ExactMechanisms(debug_seed=seed))
        values = private.measure([("a", "b")], sigmas=[30.0], label="x")[0].values.tolist()
        choice = private.choose([("a",), ("b",)], answers=[[1] * 4, [1] * 3], epsilon=1e-3, label="y")
        return values, choice, private.ledger.claim()

    first, second, other = run(1), run(1), run(2)
    assert first == second
    assert first[0] != other[0]
    assert first[2]["epsilon"] is None
    assert first[2]["stamps"] == ["NOT PRIVATE: noise from debug_seed 1"]


@pytest.mark.parametrize("bound", [1, 2, 3, 5, 10, 2**40 + 1, 2**63 + 1, 2**64 - 1])
def test_uniform_integers(bound):
    words, at = entropy.words(SystemEntropy(), 20_000), np.zeros(3, dtype=np.int64)
    drawn = np.array([kernels.below(words, at, np.uint64(bound)) for _ in range(5000)], dtype=np.uint64)
    assert drawn.max() < bound
    assert at[kernels.USED] >= 5000
    if bound <= 10:
        assert stats.chisquare(np.bincount(drawn.astype(int), minlength=bound)).pvalue > ALPHA or bound == 1
    else:
        assert stats.kstest(drawn / bound, "uniform").pvalue > ALPHA


def test_a_word_past_the_last_whole_multiple_is_drawn_again():
    bound = 2**63 + 1
    words, at = np.array([2**64 - 1, bound, 7], dtype=np.uint64), np.zeros(3, dtype=np.int64)
    assert kernels.below(words, at, np.uint64(bound)) == 7
    assert at[kernels.USED] == 3


@pytest.mark.parametrize(("top", "bottom"), [(0, 1), (1, 1), (1, 2), (2, 3), (2**40 - 1, 2**41)])
def test_bernoulli_exp(top, bottom):
    """Each coin of the samplers against its probability."""
    words, at = entropy.words(SystemEntropy(), 200_000), np.zeros(3, dtype=np.int64)
    high, low = divmod((top << 128) // bottom, 2**64)
    coins = {
        np.exp(-top / bottom): lambda: kernels.bernoulli_exp(words, at, np.uint64(top), np.uint64(bottom)),
        np.exp(-((top / bottom) ** 2) / 2): lambda: kernels.bernoulli_exp_half_square(
            words, at, np.uint64(top), np.uint64(bottom)
        ),
        np.exp(-3 * top / bottom): lambda: kernels.all_succeed(words, at, 3, np.uint64(top), np.uint64(bottom)),
    }
    tosses = [(p, [coin() for _ in range(5000)]) for p, coin in coins.items()]
    if top < bottom:
        fraction = np.uint64(high), np.uint64(low)
        tosses.append(
            (np.exp(-top / bottom), [kernels.bernoulli_exp_binary(words, at, *fraction) for _ in range(5000)])
        )
    for p, drawn in tosses:
        assert stats.binomtest(sum(drawn), 5000, p).pvalue > ALPHA
    assert kernels.more(words, at)


def test_scales_are_rounded_up_to_30_bits():
    for scale in (0.5, 1 / 3, 5.9, 1e6 / 7, 2.0**39 / 3):
        rounded = grid.up(scale)
        assert scale <= rounded <= scale * (1 + 2e-9)
        top, bottom = grid.fraction(scale)
        assert top / bottom == rounded
        assert top <= 2**41
        assert bottom <= 2**30
    with pytest.raises(PrivacyError, match="scale of the noise"):
        grid.up(2.0**41)


def test_nothing_to_draw():
    assert noise.gaussian(0, 1.0, SystemEntropy()).shape == (0,)
