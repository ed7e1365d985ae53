"""Where compiled programs lie: a folder that must not move, or all of them are compiled anew."""

import sys
from pathlib import Path

import pytest

from cuesta._util.caches import cache_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="each platform has its own folder")


def test_the_cache_lies_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "cuesta"


def test_the_environment_may_name_another_place(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "fast"))
    assert cache_folder() == tmp_path / "fast" / "cuesta"


def test_an_empty_name_is_no_place(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "cuesta"


def test_asking_for_the_folder_makes_none(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "fast"))
    cache_folder()
    assert not list(tmp_path.iterdir())
