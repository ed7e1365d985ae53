"""Numbers as people write them: with a currency, a unit, marks between thousands, a comma."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

POINT, COMMA = "1,234.5", "1.234,5"  # a numeral of each kind; a format holds one of them
BLANKS = r"\s\u00a0\u2009\u202f"
CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|KRW|TRY|Rs\\.?"
CURRENCY = rf"(?:\p{{Lu}}{{0,3}}\p{{Sc}}|(?:{CODES}))"
# Letters, as kg, km/h, m² or °C; or a share.
UNIT = r"(?:[%‰]|[\p{L}°][\p{L}°%²³/·.]{0,7})"
MINUS = "[-+−]"


@dataclass(frozen=True)
class Numerals:
    """How the numbers of a column are written: the decimal mark, and the unit beside them."""

    decimal: str = "."
    unit: str = ""

    @property
    def format(self) -> str:
        """A numeral and the unit, as `$1,234.5` or `1.234,5 €`: what a model keeps of it."""
        numeral = POINT if self.decimal == "." else COMMA
        if self.unit and re.fullmatch(r"\w{0,3}[$£¥]", self.unit):
            return self.unit + numeral
        return f"{numeral} {self.unit}".strip()


def parse_numerals(form: str) -> Numerals:
    """How numbers are written, from a format. Raises ValueError for one without a numeral."""
    for decimal, numeral in ((".", POINT), (",", COMMA)):
        before, found, after = form.partition(numeral)
        if found:
            return Numerals(decimal, _one_unit((before + after).strip()))
    raise ValueError(f"a format of numbers holds {POINT} or {COMMA}, not {form!r}")


def _one_unit(unit: str) -> str:
    """A unit in the singular: stars and star are one."""
    return unit[:-1] if len(unit) > 3 and unit.endswith("s") else unit


def _numeral(decimal: str) -> str:
    mark, others = (r"\.", ",") if decimal == "." else (",", r"\.")
    thousands = "|".join(
        rf"[1-9]\d{{0,2}}(?:{mark_}\d{{3}})+" for mark_ in (others, f"[{BLANKS}'’]")
    )
    lakhs = rf"[1-9]\d?(?:{others}\d{{2}})+{others}\d{{3}}"
    whole = rf"(?:{thousands}|{lakhs}|\d+)"
    return rf"(?:{whole}(?:{mark}\d*)?(?:[eE][-+]?\d+)?|{mark}\d+(?:[eE][-+]?\d+)?)"


def _pattern(decimal: str) -> str:
    return (
        rf"^(?P<open>\()?[{BLANKS}]*(?P<sign>{MINUS})?[{BLANKS}]*(?P<before>{CURRENCY})?"
        rf"[{BLANKS}]*(?P<own>{MINUS})?(?P<number>{_numeral(decimal)})[{BLANKS}]*"
        rf"(?P<after>{CURRENCY}|{UNIT})?[{BLANKS}]*(?P<close>\))?$"
    )


PATTERNS = {decimal: _pattern(decimal) for decimal in (".", ",")}


def read_numerals(text: pl.Series, decimal: str) -> pl.DataFrame:
    """The `value` of each text as a number, null where it is none, and the `unit` beside it."""
    part = text.str.extract_groups(PATTERNS[decimal]).struct.unnest()
    digits = part["number"].str.replace_all(rf"[{BLANKS}'’]", "")
    if decimal == ".":
        digits = digits.str.replace_all(",", "", literal=True)
    else:
        digits = digits.str.replace_all(".", "", literal=True).str.replace_all(
            ",", ".", literal=True
        )
    value = digits.cast(pl.Float64, strict=False)
    signs = part["sign"].fill_null("") + part["own"].fill_null("")
    negative = signs.is_in(["-", "−"]) | part["open"].is_not_null()
    sound = (signs.str.len_chars() < 2) & (part["open"].is_null() == part["close"].is_null())
    sound &= part["before"].is_null() | part["after"].is_null()
    unit = (part["before"].fill_null("") + part["after"].fill_null("")).str.strip_chars()
    plural = (unit.str.len_chars() > 3) & unit.str.ends_with("s")
    return pl.DataFrame(
        {
            "value": (-value).zip_with(negative, value).set(~sound, None),
            "unit": unit.str.head(-1).zip_with(plural, unit).set(value.is_null() | ~sound, ""),
        }
    )


def as_written(text: pl.Series, form: str) -> pl.Series:
    """Text in a format as numbers; null where it is none, or has another unit."""
    how = parse_numerals(form)
    read = read_numerals(text, how.decimal)
    return read["value"].set(~read["unit"].is_in(["", how.unit]), None).alias(text.name)


def fitting(counts: pl.DataFrame, decimal: str) -> tuple[pl.DataFrame, str] | None:
    """Distinct texts (`value`, `rows`) that a decimal mark makes numbers, and their one unit.

    None where they have several units. A unit that stands in less than half of the rows is none:
    in 2, 3, 4 and 5more, the last is more than a number.
    """
    read = read_numerals(counts["value"], decimal)
    numbers, bare = read["value"].is_not_null(), read["unit"] == ""
    units = set(read.filter(~bare)["unit"].to_list())
    if 2 * rows_of(counts.filter(~bare)) < rows_of(counts.filter(numbers)):
        units, numbers = set(), numbers & bare
    if len(units) > 1 or not numbers.any():
        return None
    return counts.filter(numbers), next(iter(units), "")


def rows_of(counts: pl.DataFrame) -> int:
    """How many rows stand behind counted values."""
    return int(counts["rows"].sum())
