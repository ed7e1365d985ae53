"""From columns to a matrix of numbers, and from a target to what a network learns.

Encoding keeps nothing of the training rows but the list of categories and of columns with
missing values; every other fitted quantity belongs to a fold (`data.scale`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from cuesta._util.notes import Note
from cuesta.data.columns import (
    as_booleans,
    as_numbers,
    as_text,
    find_column,
    frame_of,
    kind_of,
    looks_like_classes,
    read_kinds,
    tidy,
    with_columns,
)
from cuesta.data.dates import (
    DATE_INPUTS,
    TIME_INPUTS,
    as_dates,
    as_times,
    date_inputs,
    time_inputs,
)
from cuesta.data.kinds import ANY_CASE, Kind, shown, without_marks
from cuesta.data.names import under_any_name
from cuesta.data.readings import NO, YES, fold, read_text, written_as
from cuesta.errors import TableError

MOST_CATEGORIES = 64  # the commonest have a column each; the rest share one
IDENTIFIER_SHARE = 0.9  # text with more distinct values a row than this names the row
LONGEST_CATEGORY = 10_000  # characters
FREE_TEXT = 4  # texts of so many words in the middle are sentences
FEW_ROWS = 20  # fewer rows may have a text each and mean it


@dataclass(frozen=True)
class Feature:
    """One column of the table and the columns of the matrix it becomes."""

    name: str
    kind: str  # number, boolean, date, time or category
    missing: bool = False  # whether a column marks its missing values
    categories: tuple[str, ...] = ()
    other: bool = False  # whether a column stands for all other categories
    format: str = ""  # of text: of dates and times, of numbers, or ANY_CASE of categories
    marks: tuple[str, ...] = ()  # its own words for a missing value

    @property
    def inputs(self) -> tuple[str, ...]:
        """What each of its columns of the matrix is called."""
        if self.kind == "category":
            names = [f"{self.name}={category}" for category in self.categories]
            names += [f"{self.name}=(other)"] if self.other else []
        elif self.kind in ("date", "time"):
            count = DATE_INPUTS if self.kind == "date" else TIME_INPUTS
            names = [f"{self.name} ({self.kind} {place})" for place in range(1, count + 1)]
        else:
            names = [self.name]
        return (*names, f"{self.name} (missing)") if self.missing else tuple(names)

    @property
    def width(self) -> int:
        """How many columns of the matrix this one becomes."""
        own = len(self.categories) + self.other
        values = {"category": own, "date": DATE_INPUTS, "time": TIME_INPUTS}.get(self.kind, 1)
        return values + self.missing


@dataclass(frozen=True)
class Encoder:
    """Turns tables into matrices, column by column, always in the same way."""

    features: tuple[Feature, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def columns(self) -> list[str]:
        """The columns of the table that it reads."""
        return [feature.name for feature in self.features]

    @property
    def inputs(self) -> tuple[str, ...]:
        """What each column of the matrix is called."""
        return tuple(name for feature in self.features for name in feature.inputs)

    @property
    def width(self) -> int:
        """The number of columns of the matrix."""
        return sum(feature.width for feature in self.features)

    def encode(self, frame: pl.DataFrame) -> np.ndarray:
        """(rows, width) float64; a missing number is NaN, a category a 1 among 0s.

        Columns may stand in any order, others are ignored; an unseen category is all zeros, or
        "other". Raises TableError for a missing column, for text among numbers, for infinities.
        """
        return self.encode_tidied(
            frame_of(tidy(find_column(frame, name, "The table")) for name in self.columns)
        )

    def encode_tidied(self, frame: pl.DataFrame) -> np.ndarray:
        """`encode` for a table whose columns are tidied already."""
        blocks = []
        for feature in self.features:
            values, absent = _values(frame[feature.name], feature)
            blocks.append(values)
            if feature.missing:
                blocks.append(absent.astype(np.float64)[:, None])
        return np.hstack(blocks)

    def without_value(self, x: np.ndarray) -> np.ndarray:
        """(rows,) whether an encoded row has no value at all: nothing is known of it."""
        numbers, categories = self._places
        empty = np.isnan(x[:, numbers]).all(axis=1)
        return np.asarray(empty & ~x[:, categories].any(axis=1) if empty.any() else empty)

    @property
    def _places(self) -> tuple[list[int], list[int]]:
        """The inputs that are NaN where a value is missing, and those that are 0."""
        numbers: list[int] = []
        categories: list[int] = []
        begin = 0
        for feature in self.features:
            own = range(begin, begin + feature.width - feature.missing)
            (categories if feature.kind == "category" else numbers).extend(own)
            begin += feature.width
        return numbers, categories

    def encode_matrix(self, x: np.ndarray) -> np.ndarray:
        """The same for a matrix whose columns are the features, all numbers, in their order."""
        marked = [place for place, feature in enumerate(self.features) if feature.missing]
        if not marked:
            return x
        absent = np.isnan(x[:, marked]).astype(np.float64)
        return np.insert(x, [place + 1 for place in marked], absent, axis=1)


def fit_matrix_encoder(x: np.ndarray, names: list[str]) -> Encoder:
    """The encoder of a matrix of numbers; columns with missing values (NaN) are marked."""
    missing = np.isnan(x).any(axis=0).tolist()
    return Encoder(tuple(map(Feature, names, ["number"] * len(names), missing)))


@under_any_name
def _values(series: pl.Series, feature: Feature) -> tuple[np.ndarray, np.ndarray]:
    series = without_marks(series, feature.marks)
    if feature.kind == "category":
        text = as_text(series)
        if feature.format == ANY_CASE:
            names = pl.Series(feature.categories, dtype=pl.String)
            text = written_as(text, dict(zip(fold(names), names, strict=True)))
        absent = text.is_null().to_numpy()
        hits = [(text == name).fill_null(False).to_numpy() for name in feature.categories]
        if feature.other:
            hits.append(~absent & ~np.any(hits, axis=0))
        return np.stack(hits, axis=1).astype(np.float64), absent
    if feature.kind in ("date", "time"):
        read_moments, expand = MOMENTS[feature.kind]
        moments = read_moments(series, feature.format)
        return expand(moments), moments.is_null().to_numpy()
    values = (
        as_booleans(series) if feature.kind == "boolean" else as_numbers(series, feature.format)
    )
    return values[:, None], np.isnan(values)


# kind → how a column is read, and the numbers it becomes
MOMENTS = {"date": (as_dates, date_inputs), "time": (as_times, time_inputs)}


def fit_encoder(frame: pl.DataFrame, kinds: Mapping[str, Kind] | None = None) -> Encoder:
    """List the training rows' categories, and the columns with missing values among them.

    A text column whose values are nearly all distinct names its rows: it is left out, and a
    note says so. So is a column without a value in the training rows. The columns are tidied;
    `kinds` are those of the whole table, where they are known. Raises TableError if no column is
    left.
    """
    kinds = kinds or read_kinds(frame, {})
    found = [_feature(column, kinds[column.name]) for column in frame]
    features = tuple(feature for feature, _ in found if feature is not None)
    if not features:
        raise TableError("No column is left to learn from.")
    told = (note for column in frame for note in kinds[column.name].notes)
    return Encoder(features, (*told, *(note for _, notes in found for note in notes)))


@under_any_name
def _feature(series: pl.Series, kind: Kind) -> tuple[Feature | None, list[str]]:
    """A column as a feature, or None where it is left out; and what is to be said of it."""
    name = series.name
    if series.null_count() == len(series):
        return None, [f"{name}: left out, the training rows have no value of it"]
    if kind.name == "category":
        return _category(series, kind)
    gaps, how = without_marks(series, kind.marks).null_count() > 0, (kind.format, kind.marks)
    if kind.name in MOMENTS:
        return Feature(name, kind.name, gaps, (), False, *how), []
    feature = Feature(name, kind.name, gaps, (), False, *how)
    values, _ = _values(series, feature)
    values = values[:, 0]
    feature = replace(feature, missing=bool(np.isnan(values).any()))
    return feature, _warnings(name, kind.name, values)


def _warnings(name: str, kind: str, values: np.ndarray) -> list[str]:
    """What is to be said of a column of numbers that is taken as it is."""
    present = values[~np.isnan(values)]
    if np.ptp(present) == 0 and len(present) == len(values):
        return [f"{name}: the same value in every training row, so it tells nothing"]
    counts = kind == "number" and len(present) >= FEW_ROWS and np.all(present == np.floor(present))
    if counts and len(np.unique(present)) == len(present) and _in_order(present):
        return [
            Note(
                f"{name}: each row has a whole number of its own, in order; if these numbers only "
                "name the rows, leave the column out",
                parameter="drop",
                value=name,
            )
        ]
    return []


def _in_order(values: np.ndarray) -> bool:
    steps = np.diff(values)
    return bool(np.all(steps > 0) or np.all(steps < 0))


def _category(series: pl.Series, kind: Kind) -> tuple[Feature | None, list[str]]:
    text = as_text(without_marks(series, kind.marks))
    # Under names of our own: a column may be called "count" itself.
    counts = text.drop_nulls().alias("value").value_counts(sort=True, name="rows")
    distinct = counts.height
    longest = max(map(len, counts["value"].to_list()), default=0)
    if longest > LONGEST_CATEGORY:
        said = f"it holds a text of {longest:,} characters, too long for a category"
        return None, [f"{series.name}: left out, {said}"]
    if text.count() >= FEW_ROWS and distinct > IDENTIFIER_SHARE * text.count():
        texts = f"{distinct:,} distinct texts in {text.count():,} rows"
        words = float(np.median(text.drop_nulls().str.count_matches(r"\S+").to_numpy()))
        if words >= FREE_TEXT:
            return None, [f"{series.name}: left out, it is free text, which is not read ({texts})"]
        return None, [f"{series.name}: left out, {texts} name the rows"]
    names = counts.sort(["rows", "value"], descending=[True, False])["value"]
    kept = tuple(sorted(names[:MOST_CATEGORIES]))
    other = distinct > MOST_CATEGORIES
    notes = [f"{series.name}: {distinct - len(kept):,} rare categories share a column"]
    if distinct == 1 and not text.null_count():
        notes = [f"{series.name}: the same value in every training row, so it tells nothing"]
    gaps = text.null_count() > 0
    feature = Feature(series.name, "category", gaps, kept, other, kind.format, kind.marks)
    return feature, notes if other or (distinct == 1 and not gaps) else []


@dataclass(frozen=True)
class Target:
    """What is to be predicted: classes by their labels, or one or more numbers."""

    task: str  # classification, regression or multilabel
    names: tuple[str, ...]
    labels: tuple[Any, ...] = ()
    base: tuple[float, ...] = ()  # classes' shares, or means: of a row without any value

    @property
    def outputs(self) -> int:
        """How many outputs a network for it has."""
        return len(self.labels) if self.task == "classification" else len(self.names)


def fit_target(frame: pl.DataFrame, names: list[str], task: str) -> Target:
    """Tell classification from regression (`task` auto), and list the classes in order.

    The targets' columns are tidied.

    Text and booleans are classes, and so are whole numbers with at most 20 distinct values and
    ten rows to each on average; other numbers are values.
    Raises TableError for a target that cannot be learned, naming it.
    """
    columns = [frame[name] for name in names]
    kinds = [_kind_of_target(series) for series in columns]
    if task == "auto":
        classes = len(names) == 1 and (
            kinds[0] != "number" or looks_like_classes(as_numbers(columns[0]))
        )
        task = "classification" if classes else "regression"
    if task == "regression":
        for series, kind in zip(columns, kinds, strict=True):
            if kind != "number":
                raise TableError(
                    f"The target {series.name!r} is not numeric; regression needs numbers."
                )
            if np.ptp(as_numbers(series)) == 0:
                raise TableError(f"The target {series.name!r} has the same value in every row.")
        return Target(task, tuple(names))
    if len(names) > 1:
        raise TableError(f"Classification takes one target, not {len(names)}: {', '.join(names)}.")
    labels = _labels(columns[0])
    _check_labels(labels, names[0], frame.height)
    return Target(task, tuple(names), labels)


def _check_labels(labels: tuple[Any, ...], name: str, rows: int) -> None:
    longest = max((len(str(label)) for label in labels), default=0)
    if longest > LONGEST_CATEGORY:
        raise TableError(f"The target {name!r} holds a label of {longest:,} characters.")
    if name in [f"p_{label}" for label in labels]:
        raise TableError(f"The target {name!r} is named like the column of a probability.")
    if len(labels) < 2:
        raise TableError(f"The target {name!r} has one class only: {labels[0]!r}.")
    if len(labels) > rows / 2:
        raise TableError(
            f"The target {name!r} has {len(labels):,} classes in {rows:,} rows; too few rows a "
            "class to learn from."
        )


@under_any_name
def _kind_of_target(series: pl.Series) -> str:
    """What a target is once it is read: numbers of other writings are numbers by now."""
    if series.dtype != pl.String:
        return kind_of(series)
    if series.cast(pl.Float64, strict=False).null_count() == series.null_count():
        return "number"
    if read_text(series).marks:
        as_numbers(series)  # raises: a word among numbers
    return "category"


@under_any_name
def _labels(series: pl.Series) -> tuple[Any, ...]:
    """The classes in order, as the table has them: text stays text, also where it is a number."""
    if series.dtype == pl.String:
        found = set(series.to_list())
        numbers = series.cast(pl.Float64, strict=False).null_count() == 0
        return tuple(sorted(found, key=lambda text: (float(text), text) if numbers else text))
    if series.dtype == pl.Boolean or series.dtype.is_integer():
        return tuple(sorted(set(series.to_list())))
    values = np.unique(as_numbers(series))
    whole = bool(np.all(values == np.round(values)))
    return tuple(int(v) if whole else float(v) for v in values)


def without_full_stops(frame: pl.DataFrame, target: Target) -> tuple[pl.DataFrame, bool]:
    """Class labels of a test table without a full stop at their end, where that makes them known.

    Some published test files mark their labels so. Whether there were any is told.
    """
    name = target.names[0]
    series = frame[name]
    if target.task != "classification" or series.dtype != pl.String:
        return frame, False
    mended = _without_full_stops(series, list(target.labels))
    return with_columns(frame, [mended]), not mended.equals(series)


def with_known_labels(frame: pl.DataFrame, target: Target) -> pl.DataFrame:
    """Labels of a test table as the training rows write them, where only case or blanks differ.

    Yes and no have synonyms.
    """
    series = frame[target.names[0]]
    if target.task != "classification" or series.dtype != pl.String:
        return frame
    return with_columns(frame, [_with_known_labels(series, target.labels)])


@under_any_name
def _with_known_labels(series: pl.Series, labels: tuple[str, ...]) -> pl.Series:
    unknown = ~series.is_in(labels)
    if not unknown.any():
        return series
    usual: dict[str, str] = {}
    for words in (YES, NO):
        mine = [label for label in labels if label.lower() in words]
        usual |= dict.fromkeys(words, mine[0]) if len(mine) == 1 and len(labels) == 2 else {}
    keys = fold(pl.Series(labels, dtype=pl.String)).to_list()
    usual |= {key: label for key, label in zip(keys, labels, strict=True) if keys.count(key) == 1}
    return written_as(series, usual).zip_with(unknown, series)


@under_any_name
def _without_full_stops(series: pl.Series, labels: list[str]) -> pl.Series:
    short = series.str.strip_suffix(".")
    mend = (~series.is_in(labels) & short.is_in(labels)).fill_null(False)
    return short.zip_with(mend, series)


def encode_target(frame: pl.DataFrame, target: Target) -> np.ndarray:
    """(rows,) int32 class numbers, or (rows, targets) float64 values, of tidied columns.

    Raises TableError for a label that was not among the classes.
    """
    columns = [find_column(frame, name, "The table") for name in target.names]
    if target.task == "regression":
        return np.stack([as_numbers(series) for series in columns], axis=1)
    series = columns[0]
    values = as_numbers(series).tolist() if series.dtype.is_float() else series.to_list()
    place = {label: number for number, label in enumerate(target.labels)}
    codes = np.array([place.get(value, -1) for value in values], np.int32)
    if (codes < 0).any():
        first = values[int((codes < 0).argmax())]
        unknown = shown(first) if isinstance(first, str) else repr(first)
        raise TableError(
            f"The target {series.name!r} holds {unknown}, which is not in the training rows."
        )
    return codes
