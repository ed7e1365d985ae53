"""Reads the columns and the target of a model's description, which anyone may have written."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from cuesta.data.encode import Feature, Target
from cuesta.data.numerals import parse_numerals

ROUNDINGS = 1e-9  # by which shares of thousands of classes may miss 1


def require(so: bool, what: str) -> None:
    """Raise ValueError, saying what is wrong, unless it is so."""
    if not so:
        raise ValueError(what)


def all_are(kind: type, values: Any) -> bool:
    """Whether this is a list of nothing but this type (a bool is no int here)."""
    return isinstance(values, list) and all(type(value) is kind for value in values)


def _are_texts(values: Any) -> bool:
    """Whether this is a list of texts that can be written: JSON may hold half a character."""
    return all_are(str, values) and not any(
        "\ud800" <= character <= "\udfff" for value in values for character in value
    )


def feature_of(about: dict[str, Any]) -> Feature:
    """A column of a table. Raises ValueError, TypeError or LookupError for what is none."""
    feature = Feature(**about)
    require(
        feature.kind in ("number", "boolean", "date", "time", "category"), f"kind {feature.kind!r}"
    )
    require(_are_texts([feature.name, feature.format]), f"column {feature.name!r}")
    require(all_are(bool, [feature.missing, feature.other]), f"column {feature.name!r}")
    require(_are_texts(about["categories"]), f"categories of {feature.name!r}")
    require(_are_texts(about.get("marks", [])), f"marks of {feature.name!r}")
    if feature.kind == "number" and feature.format:
        parse_numerals(feature.format)
    require(feature.width > feature.missing, f"column {feature.name!r} has no input")
    categories, marks = tuple(about["categories"]), tuple(about.get("marks", ()))
    return replace(feature, categories=categories, marks=marks)


def target_of(about: dict[str, Any]) -> Target:
    """The target. Raises ValueError, TypeError or LookupError for what is none."""
    task, names, labels = about["task"], about["names"], about["labels"]
    require(_are_texts(names) and 0 < len(names) == len(set(names)), "target's names")
    if task == "classification":
        require(len(names) == 1 and _are_labels(labels), "labels")
        require(names[0] not in [f"p_{label}" for label in labels], "labels")
    else:
        require(task in ("regression", "multilabel"), f"task {task!r}")
        require(labels == [], f"labels of a {task}")
    base = about.get("base", [])
    require(base == [] or all_are(float, base), "base of the target")
    require(all(map(math.isfinite, base)), "base of the target")
    require(task == "regression" or all(0 <= share <= 1 for share in base), "base of the target")
    if base and task == "classification":
        require(abs(math.fsum(base) - 1) < ROUNDINGS, "base of the target")
    target = Target(task, tuple(names), tuple(labels), tuple(base))
    require(len(base) in (0, target.outputs), "base of the target")
    return target


def _are_labels(labels: Any) -> bool:
    """Whether this is a list of two labels or more, all different and of one type."""
    if not isinstance(labels, list) or not _are_texts([str(label) for label in labels]):
        return False
    of_one_type = any(all_are(kind, labels) for kind in (str, bool, int, float))
    if not of_one_type or not len(set(labels)) == len(labels) > 1:
        return False
    return all(map(math.isfinite, labels)) if type(labels[0]) is float else True
