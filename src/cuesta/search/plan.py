"""How wide a chunk is: as many lanes as fit a core's L2 cache (design, idea 1)."""

from __future__ import annotations

from pathlib import Path

from cuesta.spec import Shape

# A chunk of one lane would lose its lane axis in the compiler, and round differently.
NARROWEST, WIDEST = 2, 16
DEFAULT_L2 = 1 << 20
L2_SIZE = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")


def lane_bytes(shape: Shape) -> int:
    """What a step of one lane touches: weights, gradient and two moments, and its batch."""
    units = sum(shape.sizes)
    return 4 * (4 * shape.weights + 2 * shape.batch_size * units)


def chunk_width(shape: Shape, lanes: int, threads: int, l2_bytes: int) -> int:
    """The number of lanes of a chunk: a power of two that fits the cache.

    No wider than what gives each thread two chunks of the `lanes` there are, so that no thread
    idles long at the end.
    """
    fitting = l2_bytes // lane_bytes(shape)
    shared = -(-lanes // (2 * threads))
    wanted = max(NARROWEST, min(WIDEST, fitting, shared))
    return 1 << (wanted.bit_length() - 1)


def l2_bytes() -> int:
    """The L2 cache of a core, where the system tells; else 1 MiB."""
    try:
        text = L2_SIZE.read_text().strip()
        return int(text.removesuffix("K")) * 1024 if text.endswith("K") else int(text)
    except (OSError, ValueError):
        return DEFAULT_L2
