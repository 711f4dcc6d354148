"""The glossary names only files and identifiers that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROWS = re.findall(
    r"^\| (?!Word here)([^|]+) \| [^|]+ \| ([^|]+) \|$", (ROOT / "docs/glossary.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize(("word", "places"), ROWS, ids=[word for word, _ in ROWS])
def test_glossary_places_exist(word: str, places: str) -> None:
    paths = re.findall(r"`([\w/]+\.py)`", places)
    names = re.findall(r"`(\w+)`", places)

    code = "\n".join((ROOT / path).read_text() for path in paths)
    assert paths
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []
