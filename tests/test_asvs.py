"""The table of ASVS: complete, current, and about files that exist."""

import pytest

from tests.support.asvs import RENDERED, exists, rendered, requirements

STATES = {"met", "not met", "not applicable"}
# The last requirement of levels 1 and 2 in each section, and those of level 3 before it.
SECTIONS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4
5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2
8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4
11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7
16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2
"""
LEVEL_3 = """

"""


def test_every_requirement_of_both_levels_is_judged() -> None:
    skipped = set(LEVEL_3.split())
    sections = dict(line.split(":") for line in SECTIONS.split())
    numbers = {f"{section}.{number}" for section, last in sections.items() for number in range(1, int(last) + 1)}

    assert set(requirements()) == numbers - skipped
    assert len(requirements()) == 253


@pytest.mark.parametrize(("number", "one"), requirements().items(), ids=list(requirements()))
def test_judgment_is_about_files_that_exist(number: str, one: dict[str, str]) -> None:
    assert one["state"] in STATES
    assert one["note"].endswith(".")
    assert one["state"] != "met" or one.get("where"), "say where it is met"
    for path in (one.get("where"), one.get("test")):
        assert path is None or exists(path), path
    if test := one.get("test"):
        assert test.startswith("tests/")


def test_missing_test_is_noticed() -> None:
    here = "tests/test_asvs.py"

    assert exists(here)
    assert exists(f"{here}::test_missing_test_is_noticed")
    assert not exists(f"{here}::test_missing_test")
    assert not exists("tests/test_nothing.py::test_missing_test_is_noticed")


def test_rendered_table_is_current() -> None:
    assert RENDERED.read_text() == rendered(), "run make asvs"
