"""The epochs of a lane after which its weights may be wanted, and may be kept as it passes."""

from __future__ import annotations

PARTS = 12  # of a schedule, about as many checkpoints has a lane


def checkpoints(schedule: int, trained: int) -> list[int]:
    """The epochs that end a twelfth of the schedule, as far as it was trained, the last included.

    A candidate's number of epochs is chosen among them alone, so that the weights behind each
    choice are few enough to be kept. What was trained beyond `trained` changes nothing.
    """
    every = max(1, schedule // PARTS)
    return list(dict.fromkeys([*range(every, trained + 1, every), trained]))
