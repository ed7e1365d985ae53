"""A candidate's hyper-parameters, and the static shape of its network."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, pairwise
from typing import Any

from cuesta._util.checks import check_choice, check_count, check_range
from cuesta.errors import SpecError

OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam")
DIALECTS = ("notes", "torch", "optax", "keras")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "identity")
INITS = ("uniform", "normal", "glorot", "he")
NORMALIZATIONS = ("standard", "minmax", "none")
PRECISIONS = ("float32", "bfloat16")
# task → the losses that suit it, the usual one first
LOSSES = {
    "classification": ("cross_entropy",),
    "multilabel": ("logistic",),
    "regression": ("squared", "absolute", "huber"),
}
INSTRUMENTS = ("off", "economy", "full")
LARGEST_LAYER = 65_536

Factory = Callable[..., Any]  # makes an optimizer in optax's protocol from `learning_rate`


def is_classes(loss: str) -> bool:
    """Whether this is a loss for classes or labels."""
    return loss not in LOSSES["regression"]


def is_foreign(optimizer: str) -> bool:
    """Whether the optimizer is one of optax's, or of the user's own, rather than of our table."""
    return "." in optimizer


def factory_name(factory: Factory) -> str:
    """The name of an optimizer that is given as a function: where it is defined.

    A `functools.partial` is named with all that it fixes: `functools.partial(optax.adam, b1=0.8)`.
    Raises SpecError for a function without a name of its own: a run could not be resumed.
    """
    if isinstance(factory, partial):
        return _partial_name(factory)
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", "<")
    if not module or "<" in name:
        raise SpecError(
            "An optimizer given as a function must be a named function of a module, not a lambda "
            "or a function inside another."
        )
    return f"optax.{name}" if module.split(".")[0] == "optax" else f"{module}.{name}"


def _partial_name(factory: partial[Any]) -> str:
    """A partial that optax itself defines has optax's name for it; others show what they fix."""
    optax = sys.modules.get("optax")
    for name, found in vars(optax).items() if optax else ():
        if found is factory:
            return f"optax.{name}"
    fixed = [_written(value) for value in factory.args]
    fixed += [f"{name}={_written(value)}" for name, value in sorted(factory.keywords.items())]
    return f"functools.partial({', '.join([factory_name(factory.func), *fixed])})"


def _written(value: Any) -> str:
    """A value as it is written, where that says all of it."""
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_written, value))})"
    if callable(value):
        return factory_name(value)
    raise SpecError(
        "An optimizer given as a functools.partial can fix numbers, texts and named functions "
        f"only, not {type(value).__name__}."
    )


@dataclass(frozen=True)
class Shape:
    """All that a compiled program is made for; everything else is a number."""

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    batch_size: int
    loss: str  # as `loss_of` names it
    foreign: str = ""  # an optimizer that is not of our table: its state has a shape of its own
    precision: str = "float32"  # of the products; all else is float32
    factory: Factory | None = field(default=None, repr=False)  # of a foreign optimizer

    @property
    def sizes(self) -> tuple[int, ...]:
        """Layer sizes from inputs to outputs."""
        return (self.inputs, *self.hidden, self.outputs)

    @property
    def scores(self) -> int:
        """How many validation scores an epoch has: (log-loss, hits), or an error per target."""
        return 2 if is_classes(self.loss) else self.outputs

    @property
    def weights(self) -> int:
        """The number of weights and biases."""
        return sum((m + 1) * n for m, n in pairwise(self.sizes))

    def to_dict(self) -> dict[str, Any]:
        """The shape as plain values, for JSON: an optimizer's factory is told by its name."""
        plain = dataclasses.asdict(self)
        del plain["factory"]
        return plain


@dataclass(frozen=True)
class Candidate:
    """One set of hyper-parameters (N17), checked when made.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default (64, 64)
        Units of each hidden layer, 1 to 65,536; () is a linear model.
    activation : {"relu", "tanh", "sigmoid", "identity"}, default "relu"
        φ of every hidden unit (N4).
    init : {"uniform", "normal", "glorot", "he"}, default "he"
        The distribution of initial weights (N10).
    optimizer : str or callable, default "adam"
        "sgd", "momentum", "adagrad", "rmsprop" or "adam" (N11, N13 to N16), "optax.NAME", or a
        function that makes an optimizer in optax's protocol from `learning_rate`.
    dialect : {"notes", "torch", "optax", "keras"}, default "torch"
        Whose form of the optimizer's rule.
    learning_rate : float above 0, default 0.003
        α of the first step.
    final_learning_rate : float of at least 0, optional
        α of the last step, to which it decays linearly (N12); without it α is constant.
    momentum, rho, beta_1, beta_2 : float from 0 to 1, defaults 0.9, 0.9, 0.9, 0.999
        γ (N13), ρ (N15), ρ₁ and ρ₂ (N16), each read by its own optimizer.
    epsilon : float of at least 0, optional
        Replaces the ε of the dialect.
    dropout : float from 0 to 1, default 0
        The share of hidden units that is dropped: 1 − p (N1).
    clip_norm, clip_value : float of at least 0, optional
        Bounds of ‖G‖ and of each component of G (N5).
    weight_decay : float of at least 0, default 0
        λ in w ← w − αλw, apart from the gradient (Loshchilov and Hutter, 2019).
    batch_size : int of at least 1, default 32
        Rows of a step (N11).
    normalize : {"standard", "minmax", "none"}, default "standard"
        How inputs are scaled (N3).
    precision : {"float32", "bfloat16"}, default "float32"
        Of the matrix products; weights, moments and losses are float32 in either case.
    loss : str, default "auto"
        The task's usual loss; for numbers "squared", "absolute" or "huber".
    label_smoothing : float from 0 to 1, default 0
        s in (1 − s)·e_label + s/classes, what a class's row is to learn.
    huber_delta : float above 0, default 1
        δ of Huber's loss, in standard deviations of the target.

    Attributes
    ----------
    factory : callable or None
        The function of an optimizer of the user's own; `optimizer` is then its name.

    Raises
    ------
    SpecError
        A value that is out of range; the sentence names the parameter.

    Examples
    --------
    >>> Candidate(learning_rate=0.01).optimizer
    'adam'
    """

    hidden_layer_sizes: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    init: str = "he"
    optimizer: str = "adam"
    dialect: str = "torch"
    learning_rate: float = 3e-3
    final_learning_rate: float | None = None
    momentum: float = 0.9
    rho: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float | None = None
    dropout: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    weight_decay: float = 0.0
    batch_size: int = 32
    normalize: str = "standard"
    precision: str = "float32"
    loss: str = "auto"
    label_smoothing: float = 0.0
    huber_delta: float = 1.0
    factory: Factory | None = field(default=None, repr=False)  # of an optimizer of the user's own

    def __post_init__(self) -> None:
        if not isinstance(self.hidden_layer_sizes, list | tuple):
            raise SpecError(
                f"hidden_layer_sizes must be a list of sizes, not {self.hidden_layer_sizes!r}."
            )
        object.__setattr__(self, "hidden_layer_sizes", tuple(self.hidden_layer_sizes))
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("init", self.init, INITS)
        self._name_the_optimizer()
        if not (isinstance(self.optimizer, str) and is_foreign(self.optimizer)):
            check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("dialect", self.dialect, DIALECTS)
        check_choice("normalize", self.normalize, NORMALIZATIONS)
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("loss", self.loss, ("auto", *chain.from_iterable(LOSSES.values())))
        for size in self.hidden_layer_sizes:
            check_count("hidden_layer_sizes", size, LARGEST_LAYER)
        check_count("batch_size", self.batch_size, 1_000_000)
        check_range("learning_rate", self.learning_rate, 0, math.inf, open_low=True)
        check_range("huber_delta", self.huber_delta, 0, math.inf, open_low=True)
        for name in ("momentum", "rho", "beta_1", "beta_2", "dropout", "label_smoothing"):
            check_range(name, getattr(self, name), 0, 1)
        check_range("weight_decay", self.weight_decay, 0, math.inf)
        for name in ("final_learning_rate", "epsilon", "clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                check_range(name, getattr(self, name), 0, math.inf)

    def _name_the_optimizer(self) -> None:
        """Keep a function given as the optimizer in `factory`, and its name in `optimizer`."""
        given = self.optimizer if callable(self.optimizer) else self.factory
        name = factory_name(given) if callable(given) else ""
        if callable(self.optimizer):
            object.__setattr__(self, "optimizer", name)
        own = name == self.optimizer and not name.startswith("optax.")
        object.__setattr__(self, "factory", given if own else None)

    def to_dict(self) -> dict[str, Any]:
        """The hyper-parameters as plain values, for JSON: a factory is told by its name."""
        plain = {name: getattr(self, name) for name in PARAMETERS}
        return plain | {"hidden_layer_sizes": list(self.hidden_layer_sizes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Candidate:
        """A candidate from plain values. Raises SpecError for an unknown parameter."""
        for name in values:
            check_choice("parameter", name, PARAMETERS)
        return cls(**values)


def loss_of(candidate: Candidate, task: str) -> str:
    """The loss by which a candidate learns this kind of target, as `Shape` names it.

    Raises SpecError for a loss that does not suit the task.
    """
    suited = LOSSES[task]
    name = suited[0] if candidate.loss == "auto" else candidate.loss
    if name not in suited:
        raise SpecError(f"loss {name!r} cannot be used for {task}; choose {' or '.join(suited)}.")
    if candidate.label_smoothing and name != "cross_entropy":
        raise SpecError(f"label_smoothing works only for classification; the loss here is {name}.")
    return "smoothed" if candidate.label_smoothing else name


PARAMETERS = tuple(f.name for f in dataclasses.fields(Candidate) if f.name != "factory")
