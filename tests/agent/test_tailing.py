"""Files that grow, are renamed, cut and replaced."""

import os
import shutil
from pathlib import Path

import pytest
from pharos_agent.tailing import MOST_LINE_BYTES, MOST_READ_BYTES, Tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "app.log"
    found.write_text("old\n")
    return found


@pytest.fixture
def tail(path: Path):
    found = Tail([f"{path}*"], scan_s=0, grace_s=30)
    assert found.poll() == ([], False)  # it starts at the end
    yield found
    found.close()


def write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def texts(tail: Tail, wanted=lambda path: True) -> list[str]:
    return [text for _, text in tail.poll(wanted)[0]]


def test_whole_lines_only(tail: Tail, path: Path) -> None:
    write(path, "one\r\ntw")
    assert tail.poll()[0] == [(str(path), "one")]
    write(path, "o\n\nthree ü\n")
    assert texts(tail) == ["two", "three ü"]
    assert texts(tail) == []


def test_renaming_loses_nothing_and_tells_nothing_twice(tail: Tail, path: Path) -> None:
    write(path, "before\n")
    path.rename(old := path.with_name("app.log.1"))
    path.write_text("fresh\n")
    write(old, "late\n")  # by a writer that still holds it
    assert sorted(texts(tail) + texts(tail)) == ["before", "fresh", "late"]
    write(path, "on\n")
    assert texts(tail) == ["on"]


def test_a_renamed_file_is_left_after_a_while(path: Path) -> None:
    tail = Tail([str(path)], scan_s=0, grace_s=0)
    tail.poll()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(5):
        path.rename(path.with_name(f"app.log.{number}"))
        path.write_text(f"{number}\n")
        assert texts(tail) + texts(tail) == [str(number)]
    tail.poll()
    assert len(os.listdir("/proc/self/fd")) <= before
    tail.close()


def test_copying_and_truncating(tail: Tail, path: Path) -> None:
    write(path, "a long line before the cut\n")
    assert len(texts(tail)) == 1
    shutil.copy(path, path.with_name("app.log.1"))
    os.truncate(path, 0)
    assert texts(tail) == []
    write(path, "after\n")
    assert texts(tail) == ["after"]


def test_a_new_file_is_read_from_its_beginning_and_packed_ones_never(tail: Tail, path: Path) -> None:
    path.with_name("app.log_2").write_text("hello\n")
    path.with_name("app.log_3.gz").write_text("packed\n")
    assert texts(tail) == ["hello"]


def test_a_burst_is_read_in_parts(tail: Tail, path: Path) -> None:
    write(path, "x" * 99 + "\n" + "".join(f"{number:099}\n" for number in range(3 * MOST_READ_BYTES // 100)))
    found, more = [], True
    while more:
        lines, more = tail.poll()
        assert len(lines) <= MOST_READ_BYTES // 100 + 1
        found += lines
    assert len(found) == 1 + 3 * MOST_READ_BYTES // 100
    assert found[-1][1] == f"{3 * MOST_READ_BYTES // 100 - 1:099}"


def test_a_line_without_end_is_told_once_and_cut(tail: Tail, path: Path) -> None:
    write(path, "y" * (3 * MOST_LINE_BYTES))
    assert [len(text) for text in texts(tail)] == [MOST_LINE_BYTES]
    write(path, "end\nnext\n")
    assert texts(tail) == ["next"]


def test_what_is_not_wanted_is_not_read_then_or_later(tail: Tail, path: Path) -> None:
    write(path, "unheard\n")
    assert texts(tail, lambda one: one != str(path)) == []
    write(path, "unheard too\n")
    assert texts(tail) == []
    write(path, "heard\n")
    assert texts(tail) == ["heard"]


def test_pipes_and_unreadable_files_hold_nothing_up(tail: Tail, path: Path) -> None:
    os.mkfifo(path.with_name("app.log.pipe"))
    path.with_name("app.log.folder").mkdir()
    path.with_name("app.log.link").symlink_to("nowhere")
    write(path, "on\n")
    assert texts(tail) == ["on"]
