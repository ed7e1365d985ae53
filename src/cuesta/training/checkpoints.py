"""The epochs of a lane after which its weights may be wanted, and may be kept as it passes."""

from __future__ import annotations

PARTS = 12  # of a schedule, about as many checkpoints has a lane


def checkpoints(schedule: int, trained: int) -> list[int]:
    """The epochs that end a twelfth of the schedule, as far as it was trained, the last included.

    Before the first twelfth also 1, 2, 3, 4, 6, 8, 12, 16 and so on: on tables of few rows and much
    noise the first epochs are the best. A candidate's number of epochs is chosen among these alone,
    so that the weights behind each choice are few enough to be kept. What was trained beyond
    `trained` changes nothing.
    """
    every = max(1, schedule // PARTS)
    early = (factor << power for power in range(every.bit_length()) for factor in (1, 3))
    found = {*(epoch for epoch in early if epoch < every), *range(every, trained + 1, every)}
    return sorted(epoch for epoch in {*found, trained} if epoch <= trained)
