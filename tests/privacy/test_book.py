from __future__ import annotations

import multiprocessing

import pytest

from pasteur.errors import DataError, PrivacyError
from pasteur.privacy import Budget, DiscreteGaussian, Ledger, LedgerBook, Release, accountant


def release(run="r1", *, epsilon=1.0, name="gdp", fitted=("wrk",), private=True, **more):
    budget = Budget(epsilon=epsilon, **{k: more.pop(k) for k in ("unit", "delta") if k in more})
    ledger = Ledger(budget, name, people=[split for split in ("wrk", "ref", "val", "dev") if split in fitted])
    ledger.charge(DiscreteGaussian(sigma=900.0, sensitivity=1), "x")
    for text in more.pop("stamps", ()):
        ledger.stamp(text)
    fields = {"time": "2025-01-01T00:00:00Z", "dataset": "adult", "salt": "s", "view": "adult", "algorithm": "mst"}
    fields["ledger"] = ledger.to_dict() if private else None
    return Release(run=run, fitted=fitted, **(fields | more))


@pytest.fixture
def book(tmp_path):
    return LedgerBook(tmp_path / "outputs" / "ledger_book.jsonl")


def test_releases_from_one_data_set_compose(book):
    assert book.line("adult", "s", "wrk") == "no release from wrk of this data yet"
    book.add(release("r1"))
    assert book.line("adult", "s", "wrk") == "1st release from this data; all together epsilon = 1 at delta 1e-09"
    book.add(release("r2", view="another", epsilon=2))
    book.add(release("r3", dataset="census"))
    book.add(release("r4", salt="another"))
    book.add(release("r5", fitted=("ref", "val")))
    assert [r.run for r in book.releases("adult", "s")] == ["r1", "r2", "r5"]
    assert book.releases("adult", "s")[0] == release("r1")
    both = book.composed("adult", "s", "wrk")
    gdp = accountant("gdp")
    by_hand = gdp.epsilon(sum(gdp.total(Budget(epsilon=epsilon)) for epsilon in (1, 2)), 1e-9)
    assert (both.releases, both.private, both.holds) == (2, 2, True)
    assert both.epsilon == pytest.approx(by_hand, rel=1e-9)
    assert 2 < both.epsilon < 3
    told = book.line("adult", "s", "wrk").split("epsilon = ")[1].split()[0]
    assert both.epsilon <= float(told) < both.epsilon * 1.001
    assert book.composed("adult", "s", "ref").epsilon == 1
    assert book.composed("adult", "s", "dev").releases == 0
    book.add(release("r6"))
    assert book.line("adult", "s", "wrk").startswith("3rd release from this data; all together epsilon = 2.")


def test_two_accountants_meet_in_zcdp(book):
    book.add(release("r1"))
    book.add(release("r2", name="zcdp"))
    budget = Budget(epsilon=1)
    zcdp = accountant("zcdp")
    by_hand = zcdp.epsilon(accountant("gdp").total(budget) + zcdp.total(budget), 1e-9)
    assert book.composed("adult", "s", "wrk").epsilon == pytest.approx(by_hand, rel=1e-9)


def test_a_run_without_a_claim_leaves_none(book):
    book.add(release("r1"))
    book.add(release("r2", private=False, algorithm="bootstrap"))
    both = book.composed("adult", "s", "wrk")
    assert (both.holds, both.epsilon, both.private) == (False, 1.0, 1)
    assert book.line("adult", "s", "wrk") == (
        "2nd release from this data; all together no claim holds (1 of 2 without a claim for wrk; "
        "the private ones: epsilon = 1 at delta 1e-09)"
    )
    book.add(release("r3", fitted=("ref",), private=False, algorithm="reference"))
    assert book.line("adult", "s", "ref") == (
        "1st release from this data; all together no claim holds (1 of 1 without a claim for ref)"
    )
    book.add(release("r4", fitted=("val",), stamps=["NOT PRIVATE: noise from debug_seed 1"]))
    assert not book.composed("adult", "s", "val").holds


def test_different_units_do_not_add_up(book):
    book.add(release("r1"))
    book.add(release("r2", unit="household"))
    both = book.composed("adult", "s", "wrk")
    assert (both.holds, both.epsilon) == (False, None)
    assert "different units" in book.line("adult", "s", "wrk")


def test_delta_is_the_least_of_all(book):
    book.add(release("r1", delta=1e-6))
    book.add(release("r2"))
    assert book.composed("adult", "s", "wrk").delta == 1e-9


def test_a_final_release_names_only_people_whom_no_score_has_read(book):
    assert book.claimed("adult", "s", ("wrk", "ref")) == ("wrk", "ref")
    book.add(release("r1", scored=("ref", "dev")))
    assert book.claimed("adult", "s", ("wrk", "ref", "val", "dev")) == ("wrk", "val")
    assert book.claimed("census", "s", ("ref",)) == ("ref",)


def test_people_whom_scores_have_read_have_no_claim(book):
    ledger = Ledger(Budget(epsilon=1), people=("wrk",))
    book.add(release("r1", fitted=("wrk", "ref"), ledger=ledger.to_dict()))
    assert book.composed("adult", "s", "wrk").epsilon == 1
    assert not book.composed("adult", "s", "ref").holds
    nobody = Ledger(Budget(epsilon=1), people=()).claim()
    assert (nobody["private"], nobody["epsilon"], nobody["not_covered"]) == (False, None, ["wrk", "ref", "val", "dev"])


def test_many_runs_at_once_lose_nothing(book):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=add_some, args=(book, name)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(r.run for r in book.releases("adult", "s")) == sorted(
        f"{name}{k}" for name in "abcd" for k in range(8)
    )
    assert [path.name for path in book.path.parent.iterdir() if path.name.endswith(".tmp")] == []


def add_some(book, name):
    for k in range(8):
        book.add(release(f"{name}{k}"))


def test_bad_books_and_bad_releases(book, tmp_path):
    book.add(release("r1"))
    with book.path.open("a") as stream:
        stream.write('{"run": 1}\n')
    with pytest.raises(DataError, match="line 2 is not a release that Pasteur wrote"):
        book.releases("adult", "s")
    with pytest.raises(DataError, match="cannot be read"):
        LedgerBook(tmp_path).releases("adult", "s")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        LedgerBook(tmp_path / "file" / "book").add(release("r1"))
    with pytest.raises(PrivacyError, match=r"fitted \(train\) must be splits out of wrk, ref, val, dev"):
        release(fitted=("train",))
    with pytest.raises(PrivacyError, match=r"fitted \(none\)"):
        release(fitted=())


def test_ordinals(book):
    for number in range(1, 5):
        book.add(release(f"r{number}"))
        assert book.line("adult", "s", "wrk").startswith(["1st", "2nd", "3rd", "4th"][number - 1])


def test_a_sweep_composes_by_itself(book):
    book.add(release("r1"))
    book.add(release("r2", epsilon=2, sweep="toy-1"))
    book.add(release("r3", epsilon=2, sweep="toy-1"))
    book.add(release("r4", private=False, sweep="toy-2"))
    own, gdp = book.composed("adult", "s", "wrk", sweep="toy-1"), accountant("gdp")
    assert (own.releases, own.private, own.holds) == (2, 2, True)
    assert own.epsilon == pytest.approx(gdp.epsilon(2 * gdp.total(Budget(epsilon=2)), 1e-9), rel=1e-9)
    assert not book.composed("adult", "s", "wrk", sweep="toy-2").holds
    assert book.composed("adult", "s", "wrk").releases == 4
    assert [r.sweep for r in book.releases("adult", "s")] == ["", "toy-1", "toy-1", "toy-2"]


def test_a_release_of_an_earlier_version_is_of_no_sweep(book):
    book.add(release("r1"))
    book.path.write_text(book.path.read_text().replace(', "sweep": ""', ""))
    assert book.releases("adult", "s")[0].sweep == ""


def test_halves_of_a_split_are_counted_with_the_whole(book):
    fitted = release("r1", fitted=("ref_fit",), scored=("dev", "ref_held"))
    ledger = fitted.ledger | {"people": ["ref_fit"]}
    book.add(release("r1", fitted=("ref_fit",), scored=("dev", "ref_held"), ledger=ledger))
    assert book.composed("adult", "s", "ref_fit").epsilon == 1
    assert book.composed("adult", "s", "ref_held").releases == 0
    assert book.composed("adult", "s", "wrk").releases == 0
    whole = book.composed("adult", "s", "ref")
    assert (whole.releases, whole.holds) == (1, False)  # the other half's rows were read by exact scores
    assert book.claimed("adult", "s", ("wrk", "ref", "ref_fit", "ref_held")) == ("wrk", "ref_fit")
    book.add(release("r2", fitted=("ref",)))
    gdp = accountant("gdp")
    both = gdp.epsilon(2 * gdp.total(Budget(epsilon=1)), 1e-9)
    assert book.composed("adult", "s", "ref_fit").epsilon == pytest.approx(both)
