"""A function of the user's own, named as `package.module:function`."""

from __future__ import annotations

import dataclasses
import importlib
import math
import os
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import jax
import jax.numpy as jnp

from cuesta._util.checks import check_choice
from cuesta.errors import SpecError
from cuesta.lab.function import Function, Objective
from cuesta.lab.functions import FUNCTIONS, function

DOMAIN = ((-5.0, 5.0),)  # unless told
START = (0.8, 0.3)  # as shares of the domain's width, unless told


def find_function(
    reference: str,
    dimensions: int = 2,
    domain: Sequence[float] | None = None,
    **shape: Any,
) -> Function:
    """A function by its name, or the user's own by `package.module:function`.

    `domain` is low and high for all coordinates, or a pair for each in turn; `shape` as `function`
    takes it. Raises SpecError for a name that is not known and for what does not fit together.
    """
    box = None if domain is None else _pairs(domain, dimensions)
    if ":" not in reference and reference not in FUNCTIONS:
        raise _unknown(reference)
    if ":" not in reference:
        found = function(reference, dimensions, **shape)
        return found if box is None else dataclasses.replace(found, domain=box)
    if shape:
        raise SpecError(f"Only quadratic has a {next(iter(shape))}; {reference} has none.")
    return load_function(reference, box or DOMAIN, dimensions)


def _unknown(reference: str) -> SpecError:
    """Names the functions that there are, and how to give one's own."""
    try:
        check_choice("function", reference, FUNCTIONS)
    except SpecError as error:
        return SpecError(
            f"{error.sentence.removesuffix('.')}; for a function of your own, write it with "
            "jax.numpy in a file, say mine.py: 'def bowl(w): return w[0]**2 + w[1]**2', and "
            "name it mine:bowl."
        )
    return SpecError(f"function {reference!r} is unknown.")


def _pairs(domain: Sequence[float], dimensions: int) -> tuple[tuple[float, float], ...]:
    ends = tuple(domain) * dimensions if len(domain) == 2 else tuple(domain)
    if len(ends) != 2 * dimensions:
        raise SpecError(
            f"A domain of {dimensions} coordinates has 2 or {2 * dimensions} ends, not {len(ends)}."
        )
    pairs = tuple(zip(ends[::2], ends[1::2], strict=True))
    for low, high in pairs:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SpecError(
                f"A domain goes from a finite end up to another, not from {low:g} to {high:g}."
            )
    return pairs


def load_function(
    reference: str, domain: Sequence[tuple[float, float]] = DOMAIN, dimensions: int = 2
) -> Function:
    """The function that `package.module:function` names; the working folder is searched too.

    This imports, and so runs, the user's module. Raises SpecError for a module or a function that
    is not found, and for one that does not take a point to a number.
    """
    module_name, _, name = reference.partition(":")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise SpecError(
            f"Module {module_name!r} cannot be imported: {_first_line(error)}"
        ) from error
    value = getattr(module, name, None)
    if not callable(value):
        raise SpecError(f"Module {module_name!r} has no function {name!r}.")
    return wrap_function(value, reference, domain, dimensions)


def wrap_function(
    value: Objective,
    name: str = "",
    domain: Sequence[tuple[float, float]] = DOMAIN,
    dimensions: int = 2,
) -> Function:
    """A callable from a point (n,) to a number, written with jax.numpy, as a Function.

    A domain of one pair stands for all coordinates. Raises SpecError where the callable does not
    take such a point, or does not return one number.
    """
    name = name or getattr(value, "__name__", "J")
    box = _pairs([end for pair in domain for end in pair], dimensions)
    check_scalar(value, name, len(box))
    places = islice(cycle(START), len(box))
    start = tuple(low + (high - low) * p for (low, high), p in zip(box, places, strict=True))
    lines = (getattr(value, "__doc__", None) or "").strip().splitlines()
    formula = lines[0] if lines else f"J = {name}(w)"
    return Function(name, value, box, start, formula, "the user's own", lowest=None, goal=None)


def check_scalar(value: Objective, name: str, dimensions: int) -> None:
    """Raise SpecError unless `value` takes a point of so many coordinates to one real number."""
    returned: list[Any] = []
    with jax.enable_x64(True):
        try:
            jax.eval_shape(lambda w: returned.append(value(w)), jnp.zeros(dimensions))
        except (jax.errors.TracerBoolConversionError, jax.errors.TracerIntegerConversionError) as e:
            raise SpecError(
                f"{name} decides by a value, in an if, a loop or an index: use jax.numpy.where, "
                "for its derivatives are taken through all of it."
            ) from e
        except jax.errors.JAXTypeError as error:
            raise SpecError(
                f"{name} takes a value out of JAX, by math, NumPy or float(): use jax.numpy "
                "in their place (import jax.numpy as jnp; jnp.sin, jnp.exp), for its derivatives "
                "are taken."
            ) from error
        except Exception as error:
            raise SpecError(
                f"{name} cannot take a point of {dimensions} coordinates, written with "
                f"jax.numpy: {_first_line(error)}"
            ) from error
    found = returned[0]
    shape, kind = getattr(found, "shape", None), getattr(found, "dtype", None)
    if shape is None or kind is None:
        raise SpecError(f"{name} must return one number, not {type(found).__name__}.")
    if shape != ():
        raise SpecError(f"{name} must return one number, not an array of shape {shape}.")
    if not jnp.issubdtype(kind, jnp.floating):
        raise SpecError(f"{name} must return a real number, not {kind}.")


def _first_line(error: Exception) -> str:
    """The first line of an error's text, with its kind."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
