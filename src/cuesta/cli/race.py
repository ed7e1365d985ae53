"""`cuesta race`: race optimizers on a function."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuesta.cli import options
from cuesta.cli.arguments import (
    PAGES,
    PICTURES,
    check_output,
    make_settings,
    split_names,
    split_numbers,
)
from cuesta.cli.base import guarded, print_json

if TYPE_CHECKING:
    from cuesta.lab.function import Function
    from cuesta.lab.settings import RaceSettings


@guarded("Interrupted; nothing was written.")
def race(
    function: options.RaceFunction,
    optimizers: options.RaceOptimizers = "sgd,momentum,adagrad,rmsprop,adam",
    out: options.RacePage = None,
    png: options.Picture = None,
    start: options.Start = None,
    dimensions: options.Dimensions = None,
    domain: options.Domain = None,
    condition: options.Condition = None,
    rotation: options.Rotation = None,
    dialect: options.Dialect = "notes",
    steps: options.RaceSteps = 2000,
    seeds: options.Seeds = 9,
    tries: options.Tries = 40,
    lowest_rate: options.LowestRate = 1e-5,
    highest_rate: options.HighestRate = None,
    noise: options.Noise = 0.0,
    clip_norm: options.ClipNorm = None,
    clip_value: options.ClipValue = None,
    final_ratio: options.FinalRatio = None,
    seed: options.Seed = 0,
    basins: options.Basins = True,
    json_: options.Json = False,
) -> None:
    """Race optimizers on a function, each with its own tuned learning rate, and see the paths.

    Writes one page that works offline: the paths on the surface, J of each
    step, and what the rule did at each step, beside what Taylor's expansion
    predicts of it.

    For example:

      cuesta race himmelblau

      cuesta race cliff --optimizers sgd,adam --png cliff.png

      cuesta race mine:bowl --start 1,2,3 --domain -4,4
    """
    given = locals()
    page = out or Path(f"race-{function.rpartition(':')[2]}.html")
    check_output("out", page, PAGES)
    if png:
        check_output("png", png, PICTURES)
    first = split_numbers("start", start)
    chosen = _function(given, first)
    from cuesta.lab.settings import RaceSettings

    settings = make_settings(
        RaceSettings,
        given,
        optimizers=split_names(optimizers),
        clip_norm=_bound(chosen.clip_norm if clip_norm is None else clip_norm),
        clip_value=_bound(clip_value),
    )
    seen = _run(chosen, settings, first, quiet=json_)
    _publish(seen, page, png, json_)


def _function(given: Mapping[str, Any], start: list[float] | None) -> Function:
    """The function that is named, with as many coordinates as it is asked for."""
    from cuesta._util.caches import use_compilation_cache
    from cuesta.lab.user_function import find_function

    use_compilation_cache()
    size = given["dimensions"]
    if size is None:
        size = len(start) if start else 2
    shape = {name: given[name] for name in ("condition", "rotation") if given[name] is not None}
    return find_function(given["function"], size, split_numbers("domain", given["domain"]), **shape)


def _bound(value: float | None) -> float | None:
    """A bound for clipping, of which ∞ is none."""
    return None if value == math.inf else value


def _run(
    function: Function, settings: RaceSettings, start: list[float] | None, *, quiet: bool
) -> dict[str, Any]:
    """The race in plain values; with `quiet` its progress goes to standard error."""
    from cuesta.lab.race import race as run_race
    from cuesta.report.console import SafeConsole
    from cuesta.report.race.terminal import RaceProgress
    from cuesta.report.race.view import view

    with RaceProgress(SafeConsole(stderr=quiet)) as progress:
        return view(run_race(function, settings, start, progress.watch))


def _publish(seen: dict[str, Any], page: Path, png: Path | None, json_: bool) -> None:
    """Write the page and the picture, and print the race."""
    from cuesta._util.files import write_text
    from cuesta.report.console import SafeConsole
    from cuesta.report.race.page import render
    from cuesta.report.race.still import still
    from cuesta.report.race.terminal import show_race
    from cuesta.report.race.view import numbers

    write_text(page, render(seen))
    if png:
        still(seen, png)
    if json_:
        print_json(numbers(seen))
    else:
        show_race(SafeConsole(), seen, str(page))
