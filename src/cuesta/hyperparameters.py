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

from cuesta._util.checks import check_choice, check_count, check_flag, check_range
from cuesta.errors import SpecError

OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam")
DIALECTS = ("notes", "torch", "optax", "keras")
ACTIVATIONS = (
    "relu",
    "tanh",
    "sigmoid",
    "identity",
    "leaky_relu",
    "silu",
    "gelu",
    "mish",
    "selu",
)
ARCHITECTURES = ("mlp", "resnet")
INITS = ("uniform", "normal", "glorot", "he")
NORMALIZATIONS = ("standard", "robust", "quantile", "minmax", "none")
NUMERIC_EMBEDDINGS = ("none", "plr", "plr-lite", "pbld", "piecewise", "piecewise-tree")
PIECEWISE = ("piecewise", "piecewise-tree")
CATEGORY_EMBEDDINGS = ("one-hot", "learned")
SCHEDULES = ("linear", "cosine", "one_cycle", "coslog4")
TARGET_TRANSFORMS = ("none", "log", "quantile")
PRECISIONS = ("float32", "bfloat16")
# task → the losses that suit it, the usual one first
LOSSES = {
    "classification": ("cross_entropy",),
    "multilabel": ("logistic",),
    "regression": ("squared", "absolute", "huber"),
}
INSTRUMENTS = ("off", "economy", "full")
LARGEST_LAYER = 65_536
LARGEST_EMBEDDING = 1024

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
class Front:
    """What stands between the inputs and the first dense layer, as far as a program's code knows.

    `numbers` columns come first among the inputs, then those of each category that has a learned
    embedding: `categories` are their (levels, width); what is left enters as it is.

    Attributes
    ----------
    embedding : str
        Of numeric columns, one of `NUMERIC_EMBEDDINGS`.
    numbers : int
        How many numeric columns it embeds; 0 without an embedding.
    parts : int
        Frequencies, or bins, of a column.
    width : int
        Units of a column's embedding.
    categories : tuple of pairs of int
        Levels and width of each embedded category.
    scaled : bool
        Whether each of its units has a learned scale.
    """

    embedding: str = "none"
    numbers: int = 0
    parts: int = 0
    width: int = 0
    categories: tuple[tuple[int, int], ...] = ()
    scaled: bool = False

    @property
    def depth(self) -> int:
        """How many of the network's layers belong to it."""
        return 2 * (self.numbers > 0) + len(self.categories) + self.scaled

    @property
    def embedded(self) -> int:
        """How many inputs it embeds."""
        return self.numbers + sum(levels for levels, _ in self.categories)

    def features(self, inputs: int) -> int:
        """How many units it hands on to the first dense layer."""
        made = self.numbers * self.width + sum(width for _, width in self.categories)
        return made + inputs - self.embedded

    def shapes(self, inputs: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The shapes of (w, b) of each of its layers, first layer first."""
        found: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        if self.numbers:
            entering = self.parts * (2 if self.embedding.startswith("plr") else 1)
            made = self.width - (self.embedding == "pbld")
            per_column = () if self.embedding == "plr-lite" else (self.numbers,)
            found += [
                ((self.numbers, self.parts), (self.numbers, self.parts)),
                ((*per_column, entering, made), (*per_column, made)),
            ]
        found += [((levels, width), (width,)) for levels, width in self.categories]
        if self.scaled:
            found.append(((self.features(inputs),), (self.features(inputs),)))
        return found


NO_FRONT = Front()


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
    front: Front = NO_FRONT
    residual: bool = False  # whether hidden layers add to what enters them (`resnet`)
    transformed: bool = False  # whether targets are learned in another scale than their own

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the dense layers, from what enters the first to the outputs."""
        return (self.front.features(self.inputs), *self.hidden, self.outputs)

    @property
    def scores(self) -> int:
        """How many validation scores an epoch has: (log-loss, hits), or an error per target."""
        return 2 if is_classes(self.loss) else self.outputs

    @property
    def weights(self) -> int:
        """The number of weights and biases."""
        front = sum(math.prod(w) + math.prod(b) for w, b in self.front.shapes(self.inputs))
        return front + sum((m + 1) * n for m, n in pairwise(self.sizes))

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
    architecture : {"mlp", "resnet"}, default "mlp"
        Whether a hidden layer's units take the place of those before it, or, where both layers have
        the same size, are added to them: u + φ(N(u)W + b), N the normalization of a row (He et al.,
        2016; Gorishniy et al., 2021).
    activation : str, default "relu"
        φ of every hidden unit (N4): "relu", "tanh", "sigmoid", "identity", "leaky_relu", "silu",
        "gelu", "mish" or "selu".
    init : {"uniform", "normal", "glorot", "he"}, default "he"
        The distribution of initial weights (N10). "he" suits ReLU and all that bend like it; SELU
        was made for LeCun's N(0, 1/inputs), which is "normal".
    optimizer : str or callable, default "adam"
        "sgd", "momentum", "adagrad", "rmsprop" or "adam" (N11, N13 to N16), "optax.NAME", or a
        function that makes an optimizer in optax's protocol from `learning_rate`.
    dialect : {"notes", "torch", "optax", "keras"}, default "torch"
        Whose form of the optimizer's rule.
    learning_rate : float above 0, default 0.003
        α of the first step, or the highest of a schedule that rises to it.
    final_learning_rate : float of at least 0, optional
        α of the last step, to which it decays by the schedule (N12); without it α is constant by
        the linear schedule, and falls to 0 by the others.
    schedule : {"linear", "cosine", "one_cycle", "coslog4"}, default "linear"
        The way from α₀ to α_T, at t = k/T: a straight line (N12); half a cosine (Loshchilov and
        Hutter, 2017); up from α₀/25 to α₀ while t < 0.3, then down to α_T, each by half a cosine
        (Smith and Topin, 2018); or four waves from α_T up to α₀ and back,
        α_T + ½(α₀ − α_T)(1 − cos(2π log₂(1 + 15t))) (Holzmüller et al., 2024).
    warmup : float from 0 to 1, default 0
        The share u of the T steps in which α first rises in a line: times min(1, (k + 1)/(uT)).
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
    normalize : {"standard", "robust", "quantile", "minmax", "none"}, default "standard"
        How inputs are scaled (N3): by mean and deviation, by median and quartiles with a smooth
        bound of ±3, by their ranks to a normal distribution, or to [0, 1].
    numeric_embedding : str, default "none"
        What each numeric column becomes before the first dense layer: "plr", ReLU of a linear map
        of sines and cosines (Gorishniy et al., 2022), "plr-lite", with one map for all columns,
        "pbld", the column beside a linear map of cosines with learned phases (Holzmüller et al.,
        2024), "piecewise" and "piecewise-tree", ReLU of a linear map of the column's place in bins
        between quantiles, or at the splits of a tree.
    embedding_size : int of at least 2, default 8
        Units of each numeric column's embedding.
    embedding_frequencies : int of at least 1, default 16
        Frequencies of each column, of the periodic ones.
    embedding_sigma : float above 0, default 0.3
        The standard deviation of the first frequencies, in turns for each unit of a column.
    embedding_bins : int of at least 2, default 16
        Bins of each column, of the piecewise ones.
    category_embedding : {"one-hot", "learned"}, default "one-hot"
        Whether a category with more than 8 levels has a learned embedding.
    input_scale : bool, default False
        Whether each unit that enters the first dense layer has a learned scale.
    precision : {"float32", "bfloat16"}, default "float32"
        Of the matrix products; weights, moments and losses are float32 in either case.
    loss : str, default "auto"
        The task's usual loss; for numbers "squared", "absolute" or "huber".
    label_smoothing : float from 0 to 1, default 0
        s in (1 − s)·e_label + s/classes, what a class's row is to learn.
    huber_delta : float above 0, default 1
        δ of Huber's loss, in standard deviations of the target.
    target_transform : {"none", "log", "quantile"}, default "none"
        In which scale a regression's targets are learned: as they are, by log(1 + (y − least)/m)
        with m the median distance from the least (for targets skewed to the right, such as prices),
        or by ranks to the normal distribution. All validate and predict in the target's own units.
    clamp : bool, default False
        Whether predictions of numbers are held between the least and the greatest that trained
        (Holzmüller et al., 2024).
    weight_average : float from 0 to below 1, default 0
        d in w̄ ← d·w̄ + (1 − d)·w after each step: w̄ is what validates and predicts. After step
        k, from 0, d is (1 + k)/(10 + k) where that is less, so that w̄ soon forgets its start.
    epochs : int of at least 1, optional
        How many epochs it trains, over which its learning rate decays; by default the run's.

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
    architecture: str = "mlp"
    activation: str = "relu"
    init: str = "he"
    optimizer: str = "adam"
    dialect: str = "torch"
    learning_rate: float = 3e-3
    final_learning_rate: float | None = None
    schedule: str = "linear"
    warmup: float = 0.0
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
    numeric_embedding: str = "none"
    embedding_size: int = 8
    embedding_frequencies: int = 16
    embedding_sigma: float = 0.3
    embedding_bins: int = 16
    category_embedding: str = "one-hot"
    input_scale: bool = False
    precision: str = "float32"
    loss: str = "auto"
    label_smoothing: float = 0.0
    huber_delta: float = 1.0
    target_transform: str = "none"
    clamp: bool = False
    weight_average: float = 0.0
    epochs: int | None = None
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
        check_choice("architecture", self.architecture, ARCHITECTURES)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("normalize", self.normalize, NORMALIZATIONS)
        self._check_inputs()
        self._check_targets()
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

    def _check_inputs(self) -> None:
        """Raise SpecError for an embedding that is out of range."""
        check_choice("numeric_embedding", self.numeric_embedding, NUMERIC_EMBEDDINGS)
        check_choice("category_embedding", self.category_embedding, CATEGORY_EMBEDDINGS)
        check_flag("input_scale", self.input_scale)
        check_count("embedding_size", self.embedding_size, LARGEST_EMBEDDING, least=2)
        check_count("embedding_frequencies", self.embedding_frequencies, LARGEST_EMBEDDING)
        check_count("embedding_bins", self.embedding_bins, LARGEST_EMBEDDING, least=2)
        check_range("embedding_sigma", self.embedding_sigma, 0, math.inf, open_low=True)

    def _check_targets(self) -> None:
        """Raise SpecError for what the targets cannot be learned by."""
        check_choice("target_transform", self.target_transform, TARGET_TRANSFORMS)
        check_flag("clamp", self.clamp)
        check_range("warmup", self.warmup, 0, 1)
        check_range("weight_average", self.weight_average, 0, 1, open_high=True)
        if self.epochs is not None:
            check_count("epochs", self.epochs, 1_000_000)

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

    Raises SpecError for a loss that does not suit the task, and for what only numbers can have.
    """
    suited = LOSSES[task]
    name = suited[0] if candidate.loss == "auto" else candidate.loss
    if name not in suited:
        raise SpecError(f"loss {name!r} cannot be used for {task}; choose {' or '.join(suited)}.")
    if candidate.label_smoothing and name != "cross_entropy":
        raise SpecError(f"label_smoothing works only for classification; the loss here is {name}.")
    if task != "regression":
        _check_no_numbers(candidate, task)
    return "smoothed" if candidate.label_smoothing else name


def _check_no_numbers(candidate: Candidate, task: str) -> None:
    """Raise SpecError for what only targets that are numbers can have."""
    if candidate.target_transform != "none":
        raise SpecError(f"target_transform works only for regression, not for {task}.")
    if candidate.clamp:
        raise SpecError(f"clamp works only for regression, not for {task}.")


PARAMETERS = tuple(f.name for f in dataclasses.fields(Candidate) if f.name != "factory")
