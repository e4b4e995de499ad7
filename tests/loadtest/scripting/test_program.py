"""The compiled script engine is kept for the next process, and made anew when what was kept is of no use."""

import stat

import pytest
import wasmtime

from loadtest.scripting.program import module


@pytest.fixture
def wasm():
    config = wasmtime.Config()
    config.epoch_interruption = True
    return wasmtime.Engine(config)


def test_it_is_kept_and_used_again(wasm, settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path / "data"
    module(wasm)
    [kept] = settings.DATA_DIR.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with monkeypatch.context() as patched:
        patched.delattr(wasmtime.Module, "__init__")  # what compiles
        assert "eval_code" in {export.name for export in module(wasm).exports}
    kept.write_bytes(b"cut off")
    assert "eval_code" in {export.name for export in module(wasm).exports}
    assert kept.stat().st_size > 1 << 20


def test_it_works_where_nothing_can_be_kept(wasm, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.DATA_DIR = tmp_path / "file"
    assert module(wasm).exports
