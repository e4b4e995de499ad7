"""Lists of packages in several frames (contract: fleet console §31.5)."""

import json

import pytest

from config.api.errors import Invalid
from fleet.agents.installed import Gathering
from fleet.agents.reports import reader
from fleet.agents.shapes import MOST_PACKAGES, Inventory

read = reader(Inventory)


def part(number, count, *names, **more):
    packages = [{"name": name, "version": "1", "ecosystem": "npm"} for name in names]
    return read(json.dumps({"packages": packages, "part": {"number": number, "count": count}, **more}))


def test_parts_become_one_list_with_the_last():
    gathering = Gathering()
    assert gathering.add(part(1, 3, "lost")) is None
    assert gathering.add(part(1, 3, "a")) is None
    assert gathering.add(read(b'{"processes":[]}')).packages is None, "other reports may come between"
    assert gathering.add(part(2, 3, "b")) is None
    whole = gathering.add(part(3, 3, "c", ssh_keys=[], notes=["n"]))
    assert [one.name for one in whole.packages] == ["a", "b", "c"]
    assert (whole.ssh_keys, whole.notes) == ([], ["n"])
    assert gathering.add(read(b'{"packages":[]}')).packages == []


@pytest.mark.parametrize("numbers", [[(2, 2)], [(1, 3), (3, 3)], [(1, 2), (2, 1)]])
def test_parts_out_of_order_are_refused_and_forgotten(numbers):
    gathering = Gathering()
    for number in numbers[:-1]:
        gathering.add(part(*number, "a"))
    with pytest.raises(Invalid, match="was due"):
        gathering.add(part(*numbers[-1], "b"))
    gathering.add(part(1, 2, "c"))
    assert [one.name for one in gathering.add(part(2, 2, "d")).packages] == ["c", "d"]


def test_parts_are_bounded_together():
    gathering, half = Gathering(), [str(number) for number in range(MOST_PACKAGES // 2 + 1)]
    gathering.add(part(1, 2, *half))
    with pytest.raises(Invalid, match="20,000"):
        gathering.add(part(2, 2, *half))
    for number, count in ((0, 1), (1, 33)):
        with pytest.raises(Invalid):
            read(json.dumps({"packages": [], "part": {"number": number, "count": count}}))
