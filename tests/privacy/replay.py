"""Record and replay: the test that finds most leaks, for any algorithm.

Record a fit on D, which freezes every noisy answer; replay it on a neighbour D' with those answers. The questions,
their order, shapes and charges must be the same, and no exact answer may differ by more than its declared sensitivity:

    tape = record(fit, private_of(data))
    replay(fit, private_of(neighbour), tape)

`fit(private)` is the algorithm; `private_of` builds a fresh `PrivateTable` on a fresh `Ledger`. `tape.result` is what
the fit returned, and `replay` returns what the replayed one did: given equal answers both must be the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pasteur.privacy import DiscreteGaussian


@dataclass(frozen=True)
class Question:
    event: object
    exact: np.ndarray
    answer: object

    def distance(self, other: Question) -> float:
        """How far two exact answers are apart, in the norm that the event's sensitivity is of."""
        gap = np.abs(self.exact - other.exact).astype(float)
        if isinstance(self.event, DiscreteGaussian):
            return float(np.sqrt((gap**2).sum()))
        return float(gap.sum()) if type(self.event).__name__ == "DiscreteLaplace" else float(gap.max())


@dataclass
class Tape:
    questions: list[Question] = field(default_factory=list)
    entries: tuple = ()
    result: object = None


class Recorder:
    """Stands at the seam: asks the real mechanisms, and keeps what went in and out."""

    def __init__(self, real, tape):
        self._real, self._tape = real, tape
        self.stamps = real.stamps

    def _ask(self, method, exact, event):
        answer = method(exact, event)
        self._tape.questions.append(Question(event, exact.copy(), answer))
        return answer

    def gaussian(self, exact, event):
        return self._ask(self._real.gaussian, exact, event)

    def laplace(self, exact, event):
        return self._ask(self._real.laplace, exact, event)

    def choose(self, scores, event):
        return self._ask(self._real.choose, scores, event)


class Replayer:
    """Stands at the seam: compares each question with the tape's and gives the tape's answer."""

    stamps = ()

    def __init__(self, tape):
        self._tape, self.asked = tape, []

    def _ask(self, exact, event):
        place = len(self.asked)
        assert place < len(self._tape.questions), f"question {place + 1} was not asked of the neighbour"
        question = self._tape.questions[place]
        now = Question(event, exact.copy(), question.answer)
        assert event == question.event, f"question {place + 1} has another event: {event}, not {question.event}"
        assert exact.shape == question.exact.shape, f"question {place + 1} has another shape"
        assert exact.dtype == question.exact.dtype == np.int64
        moved = now.distance(question)
        assert moved <= event.sensitivity * (1 + 1e-12), f"question {place + 1} moved by {moved}, above {event}"
        self.asked.append(now)
        return question.answer

    gaussian = laplace = choose = _ask


def record(fit, private):
    """Run `fit(private)` with real noise and keep every question, charge, exact answer and noisy answer."""
    tape = Tape()
    private._mechanisms = Recorder(private._mechanisms, tape)
    before = len(private.ledger.entries)
    tape.result = fit(private)
    tape.entries = private.ledger.entries[before:]
    assert len(tape.entries) == len(tape.questions), "an answer that was not charged, or a charge with no answer"
    assert [entry.event for entry in tape.entries] == [question.event for question in tape.questions]
    return tape


def replay(fit, private, tape):
    """Run `fit(private)` on the tape's answers and give its result; only exact answers may differ."""
    replayer = Replayer(tape)
    private._mechanisms = replayer
    before = len(private.ledger.entries)
    result = fit(private)
    assert len(replayer.asked) == len(tape.questions), "fewer questions were asked than of the neighbour"
    assert private.ledger.entries[before:] == tape.entries, "the ledgers differ"
    return result
