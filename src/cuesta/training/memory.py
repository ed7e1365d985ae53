"""Too little memory, told by what takes it: the rows, or the layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax

from cuesta.errors import TooLargeError
from cuesta.hyperparameters import Shape
from cuesta.training.planner import lane_bytes

EXHAUSTED = ("RESOURCE_EXHAUSTED", "Out of memory", "bad_alloc")  # in the compiler's words
ROW_BYTES = 24  # of a value: as it was read, in float64, and normalized


@contextmanager
def shortage_told(shape: Shape, width: int, rows: int) -> Iterator[None]:
    """Raise TooLargeError where training lanes of this shape on so many rows lacks memory."""
    try:
        yield
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if isinstance(error, TooLargeError) or not is_shortage(error):
            raise
        raise too_large(shape, width, rows) from error


def is_shortage(error: Exception) -> bool:
    """Whether an error says that memory is lacking."""
    return isinstance(error, MemoryError) or any(word in str(error) for word in EXHAUSTED)


def too_large(shape: Shape, width: int, rows: int) -> TooLargeError:
    """The error that names the rows, or the layers, whichever take more."""
    if ROW_BYTES * rows * (shape.inputs + shape.outputs) >= width * lane_bytes(shape):
        return rows_too_large(rows, shape.inputs)
    sizes = "-".join(map(str, shape.sizes))
    return TooLargeError(
        f"There is not enough memory for a network of layers {sizes}, {shape.weights:,} weights, "
        f"in batches of {shape.batch_size:,} rows; take smaller layers or batches."
    )


def rows_too_large(rows: int, columns: int) -> TooLargeError:
    """The error that names the rows and columns."""
    return TooLargeError(
        f"There is not enough memory for {rows:,} rows × {columns:,} columns; take fewer of them."
    )
