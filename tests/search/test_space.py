"""The search space, its grid, and its TOML file."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cuesta.core.lane_hyperparameters import lane_hyperparameters
from cuesta.errors import SpecError
from cuesta.hyperparameters import OPTIMIZERS, Candidate
from cuesta.search.samplers import sobol
from cuesta.search.space import (
    READERS,
    Choice,
    Range,
    Space,
    default_batch_size,
    grid,
    make_candidate,
    notes_space,
    read_space,
)

SHARES = st.floats(0, 1, exclude_max=True)
POSITIVE = st.floats(1e-12, 1e6)
DEFAULTS = Candidate()

# An exponential of a logarithm is off by the rounding of the logarithm, below 30 in size here.
ROUNDING = 1e-13


@given(low=POSITIVE, high=POSITIVE, log=st.booleans(), share=SHARES)
def test_a_number_of_a_range_lies_inside_it(low, high, log, share):
    assume(low <= high)
    value = Range(low, high, log).at(share)
    assert low * (1 - ROUNDING) <= value <= high * (1 + ROUNDING)


@given(low=POSITIVE, high=POSITIVE, log=st.booleans())
def test_a_range_begins_at_its_low_end_and_goes_to_its_high_end(low, high, log):
    assume(low <= high)
    ends = Range(low, high, log)
    assert ends.at(0) == pytest.approx(low, rel=ROUNDING)
    # 1 itself is no share; one rounding short of it is.
    assert ends.at(1 - 2**-53) == pytest.approx(high, rel=ROUNDING)


def test_the_middle_of_a_range_is_a_mean():
    assert Range(1, 100).at(0.5) == 50.5
    assert Range(1, 100, log=True).at(0.5) == pytest.approx(10, rel=ROUNDING)


@given(st.lists(st.integers(), min_size=1, max_size=7), SHARES)
def test_a_choice_gives_each_value_an_equal_share(values, share):
    place = math.floor(share * len(values))
    assert Choice(tuple(values)).at(share) == values[place]


def test_the_final_rate_is_a_share_of_the_rate():
    candidate = make_candidate({"learning_rate": 0.5, "final_ratio": 0.25})
    assert (candidate.learning_rate, candidate.final_learning_rate) == (0.5, 0.125)
    # Without a rate of its own, the default's.
    alone = make_candidate({"final_ratio": 0.5}).final_learning_rate
    assert alone == DEFAULTS.learning_rate / 2


def test_a_final_share_of_1_is_a_constant_rate_and_with_a_wave_none():
    assert make_candidate({"final_ratio": 1.0}) == DEFAULTS
    waved = make_candidate({"final_ratio": 1.0, "schedule": "cosine"})
    assert waved.final_learning_rate is None
    for candidate, last in ((DEFAULTS, DEFAULTS.learning_rate), (waved, 0.0)):
        assert lane_hyperparameters(candidate).alpha_t == last


def test_infinity_is_no_bound():
    values = {"clip_norm": math.inf, "clip_value": math.inf}
    assert make_candidate(values) == DEFAULTS


LISTS = {
    "hidden_layer_sizes": Choice(((8,), (8, 4))),
    "dropout": Choice((0.0, 0.1, 0.3)),
    "init": Choice(("he", "glorot")),
}


def test_a_grid_is_every_combination_once():
    found = [(c.hidden_layer_sizes, c.dropout, c.init) for c in grid(Space(LISTS))]
    assert len(found) == 12
    assert set(found) == set(product(*[choice.values for choice in LISTS.values()]))


def test_a_grid_is_every_combination_of_every_optimizer():
    own = {"sgd": {"learning_rate": Choice((0.1, 0.2))}}
    space = Space({"optimizer": Choice(("sgd", "adam")), "dropout": Choice((0.0, 0.5))}, own)
    found = [(c.optimizer, c.dropout, c.learning_rate) for c in grid(space)]
    rate = DEFAULTS.learning_rate
    assert found == [
        *product(["sgd"], [0.0, 0.5], [0.1, 0.2]),
        *product(["adam"], [0.0, 0.5], [rate]),
    ]


def test_a_grid_varies_a_decay_only_for_the_optimizers_that_read_it():
    decays = {name: Choice((0.25, 0.5)) for name in READERS}
    found = list(grid(Space({"optimizer": Choice(OPTIMIZERS), **decays})))
    counts = [sum(c.optimizer == name for c in found) for name in OPTIMIZERS]
    # sgd reads none; momentum its own; adagrad ε; rmsprop ρ, ε; adam ρ₁, ρ₂, ε.
    assert counts == [1, 2, 2, 4, 8]


def test_a_grid_over_a_range_is_a_fault_that_names_it():
    with pytest.raises(SpecError, match="dropout"):
        list(grid(Space({"dropout": Range(0, 0.5)})))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_decay_belongs_to_the_optimizers_that_read_it(optimizer):
    space = Space({name: Choice((0.5,)) for name in READERS})
    expected = {name for name, readers in READERS.items() if optimizer in readers}
    assert set(space.dimensions(optimizer)) == expected


def test_an_optimizers_own_dimension_stands_before_the_common_one():
    own, common = Choice((0.1,)), Choice((0.2,))
    space = Space({"learning_rate": common}, {"sgd": {"learning_rate": own}})
    assert space.dimensions("sgd") == {"learning_rate": own}
    assert space.dimensions("adam") == {"learning_rate": common}


def test_a_space_that_names_no_optimizer_has_the_default_one():
    assert Space({}).optimizers.values == (DEFAULTS.optimizer,)


# --- the default space ------------------------------------------------------------------------


@given(st.integers(0, 10_000_000))
def test_the_default_batch_size_is_a_power_of_two_from_8_to_1024(rows):
    size = default_batch_size(rows)
    assert 8 <= size <= (256 if rows <= 100_000 else 1024)
    assert rows < 100_000 or size >= 256
    assert size & (size - 1) == 0


@pytest.mark.parametrize(
    ("rows", "size"), [(1, 8), (512, 16), (1024, 32), (8192, 256), (400_000, 1024)]
)
def test_the_default_batch_size_leaves_about_32_steps(rows, size):
    assert default_batch_size(rows) == size


@given(rows=st.integers(1, 100_000), seed=st.integers(0, 1000))
def test_the_notes_space_starts_from_its_start_and_tries_every_optimizer(rows, seed):
    space = notes_space(rows)
    candidates = sobol(space, 33, seed)
    assert candidates[0] == space.first[0]
    assert {c.optimizer for c in candidates} == set(OPTIMIZERS)
    assert {c.batch_size for c in candidates} == {default_batch_size(rows)}


# --- its file ---------------------------------------------------------------------------------

FILE = """
optimizer = ["momentum", "adam"]
hidden_layer_sizes = [[64], [128, 64]]
dropout = {low = 0.0, high = 0.5}
clip_norm = [inf, 1]
init = "he"
final_ratio = [1.0, 0.01]
[adam]
learning_rate = {low = 1e-4, high = 1e-2, log = true}
[momentum]
learning_rate = [0.1, 0.2]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("spaces")


def read(place, text):
    path = place / "s.toml"
    path.write_text(text, encoding="utf-8")
    return read_space(str(path))


def test_a_space_is_read_as_it_is_written(place):
    common = {
        "optimizer": Choice(("momentum", "adam")),
        "hidden_layer_sizes": Choice(((64,), (128, 64))),
        "dropout": Range(0.0, 0.5),
        "clip_norm": Choice((math.inf, 1)),
        "init": Choice(("he",)),
        "final_ratio": Choice((1.0, 0.01)),
    }
    own = {
        "adam": {"learning_rate": Range(1e-4, 1e-2, log=True)},
        "momentum": {"learning_rate": Choice((0.1, 0.2))},
    }
    assert read(place, FILE) == Space(common, own)


@pytest.mark.parametrize(
    ("written", "sizes"),
    [("8", ((8,),)), ("[8, 4]", ((8, 4),)), ("[[8, 4]]", ((8, 4),)), ("[[8], []]", ((8,), ()))],
)
def test_layer_sizes_may_be_written_in_each_way(place, written, sizes):
    space = read(place, f"hidden_layer_sizes = {written}")
    assert space.common["hidden_layer_sizes"].values == sizes


def test_each_candidate_of_a_file_is_as_the_file_says(place):
    candidates = sobol(read(place, FILE), 64, seed=0)
    assert {c.optimizer for c in candidates} == {"momentum", "adam"}
    assert {c.clip_norm for c in candidates} == {None, 1}
    for c in candidates:
        assert 0 <= c.dropout <= 0.5
        if c.optimizer == "momentum":
            assert c.learning_rate in (0.1, 0.2)
        else:
            assert 1e-4 * (1 - ROUNDING) <= c.learning_rate <= 1e-2 * (1 + ROUNDING)
        ratio = 1.0 if c.final_learning_rate is None else c.final_learning_rate / c.learning_rate
        assert np.isclose([1.0, 0.01], ratio).any()


def test_epochs_may_be_a_list(place):
    candidates = sobol(read(place, "epochs = [50, 200]"), 8, seed=0)
    assert {c.epochs for c in candidates} == {50, 200}


FAULTS = [
    ("", "s.toml.*is empty"),
    ("a = = 3", "s.toml.*line 1"),
    ("lr = 0.1", "'lr'"),
    ("learning_rat = 0.1", "'learning_rat'.*'learning_rate'"),
    ("dropout = []", "dropout"),
    ("[adam]\nlearning_rate = []", "learning_rate"),
    ("[adamm]\nlearning_rate = 0.1", "'adamm'"),
    ("adam = 3", "'adam'"),
    ('optimizer = ["sgd", "adamm"]', "'adamm'.*'adam'"),
    ("learning_rate = [0.1, -0.1]", "learning_rate.*-0.1"),
    ("learning_rate = 0", "learning_rate"),
    ("learning_rate = nan", "learning_rate"),
    ("dropout = 1.5", "dropout"),
    ("dropout = true", "dropout"),
    ('dropout = "a"', "dropout"),
    ("dropout = [inf]", "dropout"),
    ("batch_size = 0", "batch_size"),
    ("batch_size = 1.5", "batch_size"),
    ("batch_size = {low = 8, high = 16}", "batch_size"),
    ("embedding_size = {low = 4, high = 8}", "embedding_size"),
    ("embedding_frequencies = {low = 4, high = 8}", "embedding_frequencies"),
    ("embedding_bins = {low = 4, high = 8}", "embedding_bins"),
    ("epochs = {low = 8, high = 16}", "epochs"),
    ("epochs = 0", "epochs"),
    ("hidden_layer_sizes = [[0]]", "hidden_layer_sizes"),
    ("hidden_layer_sizes = [[100000]]", "hidden_layer_sizes"),
    ("hidden_layer_sizes = {low = 8, high = 16}", "hidden_layer_sizes"),
    ('activation = ["rel"]', "'rel'.*'relu'"),
    ("dropout = {low = 0.5, high = 0.1}", "dropout"),
    ("dropout = {low = 0.5}", "dropout"),
    ("dropout = {low = 0.0, high = 0.5, step = 0.1}", "dropout"),
    ('dropout = {low = "a", high = 0.5}', "dropout"),
    ("dropout = {low = 0.0, high = 1.5}", "dropout"),
    ("dropout = {low = nan, high = 0.5}", "dropout"),
    ("weight_decay = {low = 0.0, high = inf}", "weight_decay"),
    ("weight_decay = {low = 0.0, high = 1.0, log = true}", "weight_decay"),
    ("learning_rate = {low = -1.0, high = 1.0}", "learning_rate"),
    ("final_ratio = -0.5", "final_ratio"),
    ('final_ratio = "a"', "final_ratio"),
    ("final_ratio = [[1]]", "final_ratio"),
    ("hidden_layer_sizes = [[8], 4]", "hidden_layer_sizes"),
    (f"learning_rate = 1{'0' * 400}", "learning_rate"),
    (f"learning_rate = 1{'0' * 5000}", "s.toml"),
    (f"weight_decay = {{low = 0, high = 1{'0' * 400}}}", "weight_decay"),
]


@pytest.mark.parametrize(("text", "culprit"), FAULTS)
def test_a_fault_of_the_file_is_one_that_names_its_parameter(place, text, culprit):
    with pytest.raises(SpecError, match=culprit):
        read(place, text)


def test_log_is_true_or_false(place):
    with pytest.raises(SpecError, match="learning_rate"):
        read(place, 'learning_rate = {low = 0.1, high = 1.0, log = "no"}')


def test_a_file_that_is_not_there_is_a_fault_that_names_it(tmp_path):
    with pytest.raises(SpecError, match=r"none\.toml"):
        read_space(str(tmp_path / "none.toml"))
    with pytest.raises(SpecError, match="cannot be read"):
        read_space(str(tmp_path))


def test_a_file_of_other_bytes_is_a_fault_that_names_it(tmp_path):
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match=r"bytes\.toml"):
        read_space(str(path))
