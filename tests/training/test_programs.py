import os
import threading

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from cuesta.training import programs
from cuesta.training.programs import Programs


def use_cache_of_jax(used):
    jax.config.update("jax_enable_compilation_cache", used)
    compilation_cache.reset_cache()  # else what was asked for once stands


@pytest.fixture(autouse=True)
def no_cache_of_jax():
    """As a user has it; the other tests share JAX's cache."""
    use_cache_of_jax(False)
    yield
    use_cache_of_jax(True)


ARGUMENTS = (np.arange(3.0, dtype=np.float32), np.float32(2.0))


def double(x, by):
    return {"twice": x * by}


def get(made, static="double", arguments=ARGUMENTS):
    return made.get(static, double, arguments, {"twice": 0}, {})


def value(made, **how):
    return np.asarray(get(made, **how)(*how.get("arguments", ARGUMENTS))["twice"])


def test_a_second_process_loads_what_the_first_compiled(tmp_path):
    first, second = Programs(tmp_path), Programs(tmp_path)
    np.testing.assert_array_equal(value(first), [0, 2, 4])
    np.testing.assert_array_equal(value(second), [0, 2, 4])
    assert (first.compiled, second.compiled) == (1, 0)


def test_ready_means_at_hand_without_compiling(tmp_path):
    made = Programs(tmp_path)
    assert not made.ready("double", ARGUMENTS)
    get(made)
    assert made.ready("double", ARGUMENTS)
    assert Programs(tmp_path).ready("double", ARGUMENTS)
    assert not Programs(tmp_path).ready("double", (np.zeros(4, np.float32), np.float32(2.0)))


@pytest.mark.parametrize(
    "other",
    [
        {"static": "other"},
        {"arguments": (np.zeros(4, np.float32), np.float32(2))},
        {"arguments": (np.zeros(3, np.int32), np.float32(2))},
    ],
)
def test_another_shape_kind_or_program_is_another(other, tmp_path):
    made = Programs(tmp_path)
    get(made)
    get(made, **other)
    assert (len(made), made.compiled) == (2, 2)


@pytest.mark.parametrize(
    "harm", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + b"x" + b[41:]]
)
def test_a_damaged_file_is_compiled_anew(harm, tmp_path):
    get(Programs(tmp_path))
    (path,) = tmp_path.iterdir()
    path.write_bytes(harm(path.read_bytes()))
    again = Programs(tmp_path)
    np.testing.assert_array_equal(value(again), [0, 2, 4])
    assert again.compiled == 1


def test_a_file_that_others_may_write_is_not_loaded(tmp_path):
    get(Programs(tmp_path))
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o666)
    again = Programs(tmp_path)
    get(again)
    assert again.compiled == 1


def test_other_sources_or_flags_are_other_programs(tmp_path, monkeypatch):
    get(Programs(tmp_path))
    monkeypatch.setattr(programs, "_surroundings", lambda: ("changed",))
    assert not Programs(tmp_path).ready("double", ARGUMENTS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_none(tmp_path):
    tmp_path.chmod(0o500)
    made = Programs(tmp_path / "programs")
    np.testing.assert_array_equal(value(made), [0, 2, 4])
    tmp_path.chmod(0o700)


def test_a_cache_that_is_a_file_is_none(tmp_path):
    (tmp_path / "programs").write_text("in the way")
    np.testing.assert_array_equal(value(Programs(tmp_path / "programs")), [0, 2, 4])


def test_threads_that_want_the_same_program_compile_it_once(tmp_path):
    made = Programs(tmp_path)
    threads = [threading.Thread(target=get, args=(made,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.compiled == 1


def test_the_key_knows_of_64_bits(tmp_path):
    get(Programs(tmp_path))
    with jax.enable_x64(True):
        assert not Programs(tmp_path).ready("double", ARGUMENTS)


def test_beside_a_cache_of_jaxs_nothing_is_kept(tmp_path):
    use_cache_of_jax(True)
    get(Programs(tmp_path / "ours"))
    assert not (tmp_path / "ours").exists()


def test_a_program_whose_file_lacks_a_part_is_compiled_at_its_first_call():
    calls = []

    def lacking(*arguments):
        raise jax.errors.JaxRuntimeError("NOT_FOUND: Function is not found")

    def compiled():
        calls.append("compiled")
        return double

    program = programs.Loaded(lacking, compiled)
    for _ in range(2):
        np.testing.assert_array_equal(program(*ARGUMENTS)["twice"], [0, 2, 4])
    assert calls == ["compiled"]
