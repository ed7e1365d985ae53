"""How optimizers are drawn: every page and picture agrees."""

from cuesta.report.page.styles import OPTIMIZER_STYLES, trace_styles


def test_no_two_traces_look_alike_and_the_notes_five_optimizers_keep_their_styles():
    names = ["adam", "lion", "adam@keras", "sgd", "rmsprop", "adagrad", "momentum"]
    given = trace_styles(names)
    assert len(set(given)) == len(names)
    assert given[0] == OPTIMIZER_STYLES["adam"]
    assert given[3] == OPTIMIZER_STYLES["sgd"]


def test_there_is_a_style_for_every_trace_of_a_long_list():
    assert len(trace_styles([f"own {k}" for k in range(40)])) == 40
