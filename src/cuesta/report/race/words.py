"""The sentences and the table's cells of the page that shows a race."""

from __future__ import annotations

import re
from typing import Any

from cuesta.report.race.look import Look

SHOWN = 6  # coordinates of a point that are written out


def number(value: float | None, digits: int = 4) -> str:
    """A number for reading; a dash where there is none."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{int(value):,}".replace("-", "−")
    text = (
        f"{float(f'{value:.{digits}g}'):.{digits - 1}e}"
        if abs(value) < 1e-3
        else f"{value:.{digits}g}"
    )
    text = re.sub(r"\.?0*e([+-])0*(\d)", r"e\1\2", text)
    return text.replace("e+", "e").replace("-", "−")


def point(values: list[float | None]) -> str:
    """A point of the domain, such as (3, 2)."""
    shown = ", ".join(number(value) for value in values[:SHOWN])
    return f"({shown}, …)" if len(values) > SHOWN else f"({shown})"


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "–" if value is None else f"{100 * value:.0f} %"


def quartiles(found: dict[str, float | None]) -> tuple[str, str]:
    """The median, and the two quartiles in brackets."""
    if found["median"] is None:
        return "–", ""
    return number(found["median"], 3), f"{number(found['low'], 3)} … {number(found['high'], 3)}"


def rates(result: dict[str, Any]) -> str:
    """The tuned learning rate, and where it falls to."""
    last = result["final_learning_rate"]
    first = number(result["learning_rate"], 3) + ("*" if result["edge"] else "")
    return first if last is None else f"{first} → {number(last, 3)}"


def settings(view: dict[str, Any]) -> str:
    """How the race was run, in plain words."""
    return " ".join(
        said for said in (_tuning(view), _starts(view), _gradients(view), _rules(view)) if said
    )


def _tuning(view: dict[str, Any]) -> str:
    kept = view["settings"]
    low, high = kept["rates"]
    return (
        f"Each optimizer runs with its own learning rate α: the best of {number(kept['tries'])} "
        f"between {number(low)} and {number(high)}, tried from "
        f"{_many(kept['tuning_starts'], 'start')} that the race does not use."
    )


def _goal(goal: float | None, lowest: float | None) -> str:
    if goal is None:
        return ""
    if lowest is None:
        return f"; the goal is J below {number(goal)}"
    return f"; the goal is J within {number(goal - lowest)} of its lowest value"


def _starts(view: dict[str, Any]) -> str:
    kept, goal = view["settings"], view["function"]["goal"]
    where = f"around {point(kept['start'])}"
    around = f", within ±{100 * kept['spread']:.3g} % of the domain’s width {where}"
    until = _goal(goal, view["function"]["lowest"])
    return (
        f"All take {_many(kept['steps'], 'step')} from the same {_many(kept['seeds'], 'start')}"
        f"{around}{until}."
    )


def _gradients(view: dict[str, Any]) -> str:
    kept = view["settings"]
    noisy = f"carry normal noise of variance {number(kept['noise'])}" if kept["noise"] else ""
    clips = [
        f"are clipped to {what} of {number(kept[name])}"
        for name, what in (("clip_norm", "a norm"), ("clip_value", "a largest value"))
        if kept[name] is not None
    ]
    return f"Gradients {' and '.join([noisy, *clips] if noisy else clips or ['are exact'])}."


def _rules(view: dict[str, Any]) -> str:
    kept = view["settings"]
    falls = "α falls in a line over the steps" if kept["decay"] else "α stays as it is"
    whose = (
        "the rules are those of the notes"
        if kept["dialect"] == "notes"
        else f"the rules are those of {kept['dialect']}"
    )
    return f"{falls}; {whose}."


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def seen(view: dict[str, Any]) -> str | None:
    """What to call the gradient that the rule saw, where it is not the gradient itself."""
    kept = view["settings"]
    clipped = kept["clip_norm"] is not None or kept["clip_value"] is not None
    if kept["noise"]:
        return "G noisy, clipped" if clipped else "G with noise"
    return "G clipped" if clipped else None


def standing(view: dict[str, Any], worn: list[Look]) -> list[dict[str, Any]]:
    """The rows of the finishing table."""
    return [
        {
            "place": place,
            "name": result["optimizer"],
            "look": look,
            "numbers": ", ".join(f"{name} {number(v)}" for name, v in result["numbers"].items()),
            "rates": rates(result),
            "reached": f"{result['reached']} of {view['settings']['seeds']}",
            "steps": quartiles(result["steps_to_goal"]),
            "final": quartiles(result["final"]),
            "outcome": result["outcome"].rstrip("."),
            "unclipped": (result["unclipped"] or {"outcome": ""})["outcome"].rstrip("."),
            "share": share(result["global_share"]),
        }
        for place, (result, look) in enumerate(zip(view["results"], worn, strict=True), 1)
    ]


def letter(k: int) -> str:
    """A name for the k-th minimum: A … Z, AA …."""
    return (letter(k // 26 - 1) if k >= 26 else "") + chr(ord("A") + k % 26)


def landings(view: dict[str, Any], most: int) -> dict[str, Any] | None:
    """Where starts end: a row for each minimum that catches most, and one for the others."""
    results = view["results"]
    if not view["minima"] or all(result["shares"] is None for result in results):
        return None
    shares = [result["shares"] or [0.0] * len(view["minima"]) for result in results]
    caught = [sum(of[k] for of in shares) for k in range(len(view["minima"]))]
    first = sorted(sorted(range(len(caught)), key=lambda k: -caught[k])[:most])
    rows = [
        {
            "letter": letter(name),
            "minimum": view["critical_points"][view["minima"][k]],
            "shares": [share(of[k]) for of in shares],
        }
        for name, k in enumerate(first)
    ]
    others = [share(sum(of) - sum(of[k] for k in first)) for of in shares]
    nowhere = [share(max(0.0, 1 - sum(of))) for of in shares]
    left = len(caught) - len(first)
    return {"rows": rows, "first": first, "left": left, "others": others, "nowhere": nowhere}
