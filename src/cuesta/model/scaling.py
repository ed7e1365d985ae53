"""A scaling's arrays in a model's file: `inputs.shift`, `scaling.3.knots` and so on.

Of maps along knots only the columns that have one stand there (`mapped` tells which): a table may
have thousands of marks, and hundreds of knots a column.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cuesta.data.knots import LARGEST_KNOTS, mapped_columns
from cuesta.data.scale import Scaling
from cuesta.model.description import require

LARGEST = np.finfo(np.float64).max  # a bound that bounds nothing
OF_KNOTS = ("mapped", "knots", "places")

Arrays = Mapping[str, np.ndarray]


def scaling_to_arrays(name: str, scaling: Scaling) -> dict[str, np.ndarray]:
    """The arrays of a scaling; those that it lacks are left out."""
    arrays = {f"{name}.shift": scaling.shift, f"{name}.scale": scaling.scale}
    if scaling.low is not None and scaling.high is not None:
        arrays |= {
            f"{name}.low": np.maximum(scaling.low, -LARGEST),
            f"{name}.high": np.minimum(scaling.high, LARGEST),
        }
    if scaling.knots is not None and scaling.places is not None:
        own = mapped_columns(scaling.knots)
        mapped = np.zeros(len(scaling.knots), bool)
        mapped[own] = True
        parts = (mapped, scaling.knots[own], scaling.places[own])
        if len(own):
            arrays |= {f"{name}.{part}": a for part, a in zip(OF_KNOTS, parts, strict=True)}
    if scaling.smooth is not None:
        arrays[f"{name}.smooth"] = scaling.smooth
    return arrays


def scaling_of_arrays(arrays: Arrays, name: str, width: int) -> Scaling:
    """The scaling of so many columns. Raises ValueError or LookupError where there is none."""
    shift, scale = (checked(arrays, f"{name}.{part}", (width,)) for part in ("shift", "scale"))
    require(bool((scale >= 0).all()), f"{name}.scale has negative numbers")
    low = high = knots = places = smooth = None
    if f"{name}.low" in arrays:
        low, high = (checked(arrays, f"{name}.{part}", (width,)) for part in ("low", "high"))
        require(bool((low <= high).all()), f"{name}.low is above {name}.high")
    if any(f"{name}.{part}" in arrays for part in OF_KNOTS):
        knots, places = _maps(arrays, name, width)
    if f"{name}.smooth" in arrays:
        smooth = _flags(arrays, f"{name}.smooth", width)
    return Scaling(shift, scale, low, high, knots, places, smooth)


def _maps(arrays: Arrays, name: str, width: int) -> list[np.ndarray]:
    """Knots and places of all columns, zeros for those without."""
    mapped = _flags(arrays, f"{name}.mapped", width)
    count = arrays[f"{name}.knots"].shape[-1]
    require(2 <= count <= LARGEST_KNOTS, f"{name}.knots has rows of {count}")
    found = []
    for part in ("knots", "places"):
        own = checked(arrays, f"{name}.{part}", (int(mapped.sum()), count))
        require(bool((own[:, 1:] >= own[:, :-1]).all()), f"{name}.{part} does not ascend")
        array = np.zeros((width, count))
        array[mapped] = own
        found.append(array)
    spans = found[0][mapped]
    require(bool((spans[:, 0] < spans[:, -1]).all()), f"{name}.knots has a row of one number")
    return found


def _flags(arrays: Arrays, name: str, width: int) -> np.ndarray:
    array = arrays[name]
    if array.shape != (width,) or array.dtype != bool:
        raise ValueError(f"array {name} is not {width} flags")
    return array


def checked(arrays: Arrays, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array of that shape. Raises ValueError or LookupError for any other, or none."""
    array = arrays[name]
    if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"array {name} is not {shape} finite numbers")
    return array
