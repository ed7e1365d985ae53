"""An optimizer's rule as a formula in the notes' letters, from its row of numbers."""

from __future__ import annotations

from cuesta.core.optim import ROWS, USUAL, usual_rho, usual_rule

NOTES_ROWS = {"sgd": "N11", "momentum": "N13", "adagrad": "N14", "rmsprop": "N15", "adam": "N16"}
DECAYS = {"momentum": {"γ": "momentum"}, "adam": {"ρ₁": "beta_1", "ρ₂": "beta_2"}}


def formula(optimizer: str, dialect: str) -> str:
    """What the optimizer does with a gradient G: V ← …; F ← …; the step."""
    constants = ROWS[optimizer, dialect].constants
    root = _root(optimizer, constants)
    if optimizer == "momentum":
        inside = usual_rule(optimizer, dialect).alpha_inside > 0
        return "V ← γV + αG;  w ← w − V" if inside else "V ← γV + G;  w ← w − αV"
    if optimizer == "adagrad":
        first = f" (F₀ = {constants['f0']:g})" if constants["f0"] else ""
        return f"F ← F + G⊙G{first};  Δ = −(α/{root}) ⊙ G;  w ← w + Δ"
    if optimizer == "rmsprop":
        return f"Γ ← ρΓ + (1−ρ) G⊙G;  Δ = −(α/{root}) ⊙ G;  w ← w + Δ"
    return _adam(constants, root) if optimizer == "adam" else "w ← w − αG"


def _adam(constants: dict[str, float | bool], root: str) -> str:
    moments = "V ← ρ₁V + (1−ρ₁)G;  F ← ρ₂F + (1−ρ₂) G⊙G"
    if constants.get("correct_root"):
        return f"{moments};  Δ = −α √(1−ρ₂ᵏ)/(1−ρ₁ᵏ) · V/{root};  w ← w + Δ"
    if constants.get("correct_v"):
        hats = "V̂ = V/(1−ρ₁ᵏ);  F̂ = F/(1−ρ₂ᵏ)"
        return f"{moments};  {hats};  Δ = −α V̂/{root};  w ← w + Δ"
    return f"{moments};  Δ = −(α/{root}) ⊙ V;  w ← w + Δ"


def _root(optimizer: str, constants: dict[str, float | bool]) -> str:
    """√F with what the dialect adds to it."""
    letter = "Γ" if optimizer == "rmsprop" else "F"
    letter += "\u0302" if constants.get("correct_f") else ""
    inside, beside = constants.get("eps_in", 0.0), constants.get("eps_out", 0.0)
    root = f"√({letter} + {inside:g})" if inside else f"√{letter}"
    return f"({root} + {beside:g})" if beside else root


def decays(optimizer: str, dialect: str) -> dict[str, float]:
    """The optimizer's decays by their letters."""
    if optimizer == "rmsprop":
        return {"ρ": usual_rho(dialect)}
    return {letter: USUAL[name] for letter, name in DECAYS.get(optimizer, {}).items()}
