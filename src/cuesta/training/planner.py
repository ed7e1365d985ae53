"""Chooses a chunk's width, its number of lanes, by estimating the time that each would take."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cuesta.hyperparameters import Shape

DEFAULT_CACHE = 8 << 20
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
# A chunk of one lane loses its lane axis in the compiler and rounds differently. So a lane trains
# alone always, or never: which of the two depends on its size, against a bound
# that is the same on all machines.
NARROWEST, ALONE = 2, 1 << 20


@dataclass(frozen=True)
class Machine:
    """What the planner knows of a machine.

    `threads` train at once; `room` bytes are near to each of them; `launch` seconds pass in a
    step beside its arithmetic, and `launch_row` for each row of its batch, `lane` for each lane;
    `rate` floating-point operations a second are reached by a thread;
    a chunk has at most `widest` lanes, and one where a lane touches `alone` bytes.
    `bench/planner.py` holds the choices that follow against every width tried.
    """

    threads: int
    room: int
    launch: float = 12e-6
    launch_row: float = 0.25e-6
    lane: float = 4e-6
    rate: float = 60e9
    widest: int = 16
    alone: int = ALONE


def lane_bytes(shape: Shape) -> int:
    """What a step of one lane touches: weights, gradient and two moments, and its batch."""
    return 4 * (4 * shape.weights + 2 * shape.batch_size * (sum(shape.sizes) + _parts(shape)))


def _parts(shape: Shape) -> int:
    """How many waves, or bins, a row's numbers make."""
    return shape.front.numbers * shape.front.parts


def step_flops(shape: Shape) -> int:
    """Floating-point operations of one lane's step: three products a layer, 2 a weight and row.

    A wave and its way back take some 60.
    """
    return shape.batch_size * (6 * shape.weights + 60 * _parts(shape))


def step_seconds(shape: Shape, width: int, machine: Machine) -> float:
    """What a step of a chunk takes: half as long again where its lanes do not fit the room."""
    crowded = 1.5 if width * lane_bytes(shape) > machine.room else 1.0
    beside = machine.launch + machine.launch_row * shape.batch_size
    return beside + width * (machine.lane + crowded * step_flops(shape) / machine.rate)


def widths(shape: Shape, machine: Machine) -> list[int]:
    """The widths that a chunk may have: one lane alone where it is large, else powers of two."""
    if lane_bytes(shape) >= machine.alone:
        return [1]
    found = [NARROWEST]
    while found[-1] * 2 <= machine.widest:
        found.append(found[-1] * 2)
    return found


def chunk_width(shape: Shape, groups: Sequence[int], machine: Machine) -> int:
    """The width, a power of two, with which a search would end soonest.

    `groups` are the numbers of lanes that may share a chunk: those of one fold, seed and
    normalization. Threads take chunks in rounds, and one more chunk is the winner's refit.
    """

    def seconds(width: int) -> float:
        chunks = sum(-(-lanes // width) for lanes in groups)
        rounds = -(-chunks // machine.threads) + 1
        return rounds * step_seconds(shape, width, machine)

    return min(widths(shape, machine), key=seconds)


def thread_count() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def this_machine(threads: int | None = None) -> Machine:
    """This machine's processor, with its last cache shared by the threads."""
    threads = threads or thread_count()
    return Machine(threads, last_cache() // (2 * threads))


def last_cache() -> int:
    """The size of the largest cache, where the system tells; else 8 MiB."""
    sizes = []
    for path in CACHES.glob("index*/size"):
        try:
            text = path.read_text().strip()
            sizes.append(int(text.removesuffix("K")) * (1024 if text.endswith("K") else 1))
        except (OSError, ValueError):
            continue
    return max(sizes, default=DEFAULT_CACHE)
