"""How a column of text is read: each reading that is not plain is told in a note."""

from __future__ import annotations

import polars as pl

from cuesta._text import count
from cuesta._util.notes import Note
from cuesta.data.dates import FIRST_ROW, PLAIN_FORMATS, date_format, time_format
from cuesta.data.kinds import ANY_CASE, Kind, shown
from cuesta.data.numerals import PATTERNS, Numerals, fitting, parse_numerals, read_numerals, rows_of
from cuesta.errors import TableError

MOSTLY = 0.9  # from this share of numbers on, a column is one of numbers
MANY_NUMBERS = 10  # more distinct numbers than this are measures, not levels
LARGELY = 0.8  # from this share on, a column of so many numbers is not one of categories
HALF = 0.5
SHOWN_WORDS = 3
SHORT = 4  # in shorter texts case may have a meaning: AA, Aa and aa are three genotypes
NAMES_ROWS = 0.9  # text with more distinct values a row than this names the row
YES = ("yes", "y", "true", "t", "1", "on")
NO = ("no", "n", "false", "f", "0", "off")
LONGEST_NUMBER = 48


def read_text(series: pl.Series, decimal: str = "auto") -> Kind:
    """What a tidied column of text is, how it is read, and what is to be said of that.

    `decimal` settles what may be read in two ways, as 1,234. Raises TableError for several words
    among numbers, and for dates that are not all written in one form.
    """
    parsed = series.cast(pl.Float64, strict=False)
    if parsed.null_count() == series.null_count():
        return _codes(series) or _plain_numbers(series, decimal)
    if series.str.to_lowercase().is_in(["true", "false"]).all():
        return Kind("boolean")
    counts = series.drop_nulls().alias("value").value_counts(sort=True, name="rows")
    return (
        _numbers(series, counts, decimal)
        or _moments(series)
        or _booleans(series.name, counts)
        or _categories(series.name, counts)
    )


def read_number(series: pl.Series, decimal: str = "auto") -> Kind:
    """How a column of text is read that is known to be numbers."""
    if series.cast(pl.Float64, strict=False).null_count() == series.null_count():
        return _plain_numbers(series, decimal)
    counts = series.drop_nulls().alias("value").value_counts(sort=True, name="rows")
    return _numbers(series, counts, decimal) or Kind("number")


def settle_decimals(frame: pl.DataFrame, kinds: dict[str, Kind]) -> dict[str, Kind]:
    """Numbers that may be read in two ways, in the way of the table's other columns."""
    text = [n for n, k in kinds.items() if k.name == "number" and frame[n].dtype == pl.String]
    if decimal_of(kinds) != ",":
        return kinds
    again = {name: read_number(frame[name], ",") for name in text}
    points = [
        n for n in text if not again[n].format and frame[n].str.contains(".", literal=True).any()
    ]
    return kinds if points else {**kinds, **again}


def decimal_of(kinds: dict[str, Kind]) -> str:
    """A comma where a column of the table can only be read so, else `auto`."""
    forms = [kind.format for kind in kinds.values() if kind.name == "number" and kind.format]
    return "," if any(parse_numerals(form).decimal == "," for form in forms) else "auto"


def _told(
    name: str, sentence: str, parameter: str = "columns", value: str = ""
) -> tuple[Note, ...]:
    return (Note(f"{name}: {sentence}", parameter, value or f"{name}=category"),)


def _codes(series: pl.Series) -> Kind | None:
    """Whole numbers of which some begin with a zero: their digits are a name, as 02138."""
    if not str(series[series.is_not_null().arg_max() or 0]).isdigit():
        return None  # the quick way out for most columns of numbers
    zeros = series.str.contains(r"^0\d+$")
    if not zeros.any() or not series.str.contains(r"^\d+$").all():
        return None
    first = series.filter(zeros.fill_null(False))[0]
    said = f"codes, not numbers: some begin with a zero, as {shown(first)}"
    return Kind("category", notes=_told(series.name, said, value=f"{series.name}=number"))


def _plain_numbers(series: pl.Series, decimal: str) -> Kind:
    """Numbers as Python writes them, save where a point is known to stand between thousands."""
    if decimal != ",":
        return Kind("number")
    points = series.str.contains(".", literal=True)
    if not points.any() or not series.str.contains(PATTERNS[","]).all():
        return Kind("number")
    return _number_kind(series, Numerals(","), series.filter(points.fill_null(False))[0])


def _number_kind(series: pl.Series, how: Numerals, example: str) -> Kind:
    text = pl.Series([example])
    values = {mark: read_numerals(text, mark)["value"][0] for mark in (".", ",")}
    number = f"{values[how.decimal]:.15g}"
    both = len({*values.values()} - {None}) > 1  # and they differ
    changes = ("decimal", "." if how.decimal == "," else ",") if both else ("columns", "")
    said = _told(series.name, f"numbers; {shown(example)} is read as {number}", *changes)
    return Kind("number", how.format, notes=said)


def _numbers(series: pl.Series, counts: pl.DataFrame, decimal: str) -> Kind | None:
    """Numbers with a currency, a unit, marks between thousands; or with a word for missing."""
    likely = counts.filter(
        pl.col("value").str.contains(r"\d") & (pl.col("value").str.len_chars() <= LONGEST_NUMBER)
    )
    if rows_of(likely) < HALF * rows_of(counts):
        return None
    best = _best_reading(likely, decimal)
    if best is None:
        return None
    how, numbers = best
    others = counts.filter(~pl.col("value").is_in(numbers["value"].to_list()))
    share = rows_of(numbers) / rows_of(counts)
    many = numbers.height > MANY_NUMBERS
    words = tuple(dict.fromkeys(others["value"].str.to_lowercase().to_list()))
    plain = numbers["value"].cast(pl.Float64, strict=False).null_count() == 0
    kind = Kind("number") if plain else _number_kind(series, how, _example(numbers))
    if not words:
        return kind
    one_word = len(words) == 1 and _is_word(words[0])
    if one_word and (share >= MOSTLY or (many and share >= HALF)):
        where = count(rows_of(others), "row")
        said = f"{shown(others['value'][0])} among numbers is taken for missing, in {where}"
        notes = (*kind.notes, *_told(series.name, said))
        return Kind("number", kind.format, words, notes)
    if share >= MOSTLY or (many and share >= LARGELY and len(words) <= SHOWN_WORDS):
        raise words_among_numbers(series, others["value"].to_list())
    return None


def _is_word(text: str) -> bool:
    return len(text) <= LONGEST_NUMBER and not any(letter.isdigit() for letter in text)


def _example(numbers: pl.DataFrame) -> str:
    """The commonest text that only this way of reading makes a number."""
    odd = numbers.filter(pl.col("value").cast(pl.Float64, strict=False).is_null())
    return str(odd.sort(["rows", "value"], descending=[True, False])["value"][0])


def _best_reading(likely: pl.DataFrame, decimal: str) -> tuple[Numerals, pl.DataFrame] | None:
    """The decimal mark that makes the most rows numbers, and those rows' texts."""
    found = []
    for mark in (",", ".") if decimal == "," else (".", ","):
        read = fitting(likely, mark)
        if read is not None:
            found.append((Numerals(mark, read[1]), read[0]))
    return max(found, key=lambda one: rows_of(one[1]), default=None)


def words_among_numbers(series: pl.Series, words: list[str]) -> TableError:
    """The sentence for texts that are no numbers in a column of numbers."""
    each = []
    for word in words[:SHOWN_WORDS]:
        row = int((series == word).fill_null(False).arg_max() or 0) + FIRST_ROW
        each.append(f"{shown(word)} (row {row})")
    more = f" and {len(words) - SHOWN_WORDS} more" if len(words) > SHOWN_WORDS else ""
    return TableError(
        f"The column {series.name!r} holds the text {', '.join(each)}{more} among numbers; name "
        "what means missing, or call the column a category.",
        parameter="missing",
        value=words[0] if len(words[0]) <= LONGEST_NUMBER else "",
    )


def _moments(series: pl.Series) -> Kind | None:
    form = date_format(series)
    if form is not None:
        said = f"dates; {shown(series.drop_nulls()[0])} is read as {form}"
        zone = ", in UTC" if "%#z" in form or "%z" in form else ""
        told = () if form in PLAIN_FORMATS else _told(series.name, said + zone)
        return Kind("date", form, notes=told)
    form = time_format(series)
    return None if form is None else Kind("time", form)


def _booleans(name: str, counts: pl.DataFrame) -> Kind | None:
    """Yes and no, where one of them is written in several ways."""
    lower = counts["value"].str.to_lowercase()
    if counts.height < 3 or not lower.is_in([*YES, *NO]).all():
        return None
    if not lower.is_in(YES).any() or not lower.is_in(NO).any():
        return None
    return Kind("boolean", notes=_told(name, f"yes or no, written as {_list(counts['value'])}"))


def _categories(name: str, counts: pl.DataFrame) -> Kind:
    """Text that is one where only case or blanks differ, unless it may have a meaning."""
    values = counts["value"]
    same = fold(values)
    if counts.height > NAMES_ROWS * rows_of(counts) or same.n_unique() == len(same):
        return Kind("category")
    twice = values.filter(same.is_duplicated())
    if not all(map(_usual_case, twice.to_list())):
        return Kind("category")
    said = f"{_list(twice)} are one where only case or blanks differ"
    return Kind("category", ANY_CASE, notes=_told(name, said))


def _usual_case(text: str) -> bool:
    return len(text) >= SHORT or text in (text.lower(), text.upper(), text.capitalize())


def _list(values: pl.Series, most: int = 6) -> str:
    words = [shown(value) for value in values.head(most).sort().to_list()]
    return ", ".join(words) + (" …" if len(values) > most else "")


def fold(text: pl.Series) -> pl.Series:
    """Text in lower case, with one blank for several."""
    return text.str.to_lowercase().str.replace_all(r"\s+", " ")


def folded(text: pl.Series) -> pl.Series:
    """Each text in the commonest writing of those that differ in case or blanks only."""
    counts = text.drop_nulls().alias("value").value_counts(name="rows")
    ordered = counts.sort(["rows", "value"], descending=[True, False])
    usual: dict[str, str] = {}
    for key, value in zip(
        fold(ordered["value"]).to_list(), ordered["value"].to_list(), strict=True
    ):
        usual.setdefault(key, value)
    return written_as(text, usual)


def written_as(text: pl.Series, usual: dict[str, str]) -> pl.Series:
    """Each text as it is written for its folded form, where that is known."""
    if not usual:
        return text
    known = fold(text).replace_strict(usual, default=None, return_dtype=pl.String)
    return known.fill_null(text).alias(text.name)


def folded_booleans(series: pl.Series) -> pl.Series:
    """Labels that are synonyms of yes and no, each as the commonest one of its meaning."""
    lower = series.str.to_lowercase()
    usual: dict[str, str] = {}
    for words in (YES, NO):
        mine = series.filter(lower.is_in(words).fill_null(False)).alias("value")
        counts = mine.value_counts(name="rows").with_columns(length=pl.col("value").str.len_chars())
        counts = counts.sort(["rows", "length", "value"], descending=[True, True, False])
        usual |= dict.fromkeys(words, counts["value"][0]) if counts.height else {}
    return written_as(series, usual)
