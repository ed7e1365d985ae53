"""Shared settings: strict numerics, and one compilation cache for all test runs."""

import os

import hypothesis
import jax
import pytest

from cuesta._util.caches import use_compilation_cache

hypothesis.settings.register_profile("cuesta", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("cuesta")
use_compilation_cache()


@pytest.hookimpl(tryfirst=True)  # before `-m` reads the markers
def pytest_collection_modifyitems(items):
    """Mark the tests that ask for the browser as slow."""
    for item in items:
        if "browser" in item.fixturenames:
            item.add_marker(pytest.mark.slow("drives a browser"))


@pytest.fixture
def float64():
    """64-bit arithmetic inside one test."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """Run the test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


os.environ.setdefault("COLUMNS", "120")
