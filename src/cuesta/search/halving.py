"""Successive halving: candidates that cannot win are stopped early (Jamieson and Talwalkar, 2016).

All candidates train for a ninth of the epochs, the better third of them for a third, the better
third of those to the end. A lane stopped early is the beginning of the whole lane, its learning
rate decaying over the whole schedule; survivors are trained anew from their start, which costs a
third of what is saved and keeps no weights of thousands of lanes in memory.
"""

from __future__ import annotations

from cuesta.search.select import Score, rank

FACTOR = 3
RUNGS = 3


def shares(epochs: int) -> list[int]:
    """After 1/share of the epochs candidates are compared: 9, 3 and 1, where these differ."""
    turns = [FACTOR**turn for turn in reversed(range(RUNGS))]
    return list({part(epochs, share): share for share in turns}.values())


def part(epochs: int, share: int) -> int:
    """1/`share` of the epochs, rounded up."""
    return -(-epochs // share)


def rungs(epochs: int) -> list[int]:
    """The epochs at whose end candidates are compared, the whole schedule last."""
    return [part(epochs, share) for share in shares(epochs)]


def survivors(scores: list[Score]) -> list[Score]:
    """The best third, rounded up, of those that did not diverge."""
    count = -(-len(scores) // FACTOR)
    return [score for score in rank(scores)[:count] if score.loss < float("inf")]


def lane_epochs(candidates: int, rungs: list[int]) -> int:
    """Epochs trained on each fold, all candidates together, if none diverges."""
    total = 0
    for rung in rungs:
        total += candidates * rung
        candidates = -(-candidates // FACTOR)
    return total
