"""pingone_integration names no page, button or role of the console. The caller that shows its errors adds them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pingone_integration"
OF_THE_CONSOLE = re.compile(
    r"(?i:\b(?:org admins?|agents?|helpdesk|auditors?|operators?|console|buttons?|press(?:ed|es|ing)?"
    r"|click(?:ed|s|ing)?|(?:this|the|your|a) page(?! of))\b)"
    r"|\bSettings\b|\bTroubleshooting\b|(?<=\w )(?:Connect|Disconnect)\b"  # capitalized: the text on the screen
)
ALLOWED = {  # text: the reason that it does not name the console
    "pingone-console/": "the product's name, as PingOne sees it in User-Agent",
    "console": "the first label of the host of PingOne's admin console",
    "PingOne's admin console": "PingOne's",
    "under Settings, Environment Properties": "a place in PingOne's admin console",
    "User-Agent": "an HTTP header",
    "OpenID Connect": "a standard",
    "a gateway's page": "PingOne's gateway",
}


def literals() -> Iterator[tuple[str, str]]:
    """Yield every string literal with its place, docstrings included."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if {"sandbox", "migrations"}.isdisjoint(place.parts):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{place}:{node.lineno}", node.value


def named_in(words: str) -> list[str]:
    if words in ALLOWED:
        return []
    for allowed in ALLOWED:
        if " " in allowed or "-" in allowed:
            words = words.replace(allowed, "")
    return OF_THE_CONSOLE.findall(words)


def test_text_names_no_page_button_or_role_of_the_console() -> None:
    found = {place: names for place, words in literals() if (names := named_in(words))}

    assert found == {}


@pytest.mark.parametrize(
    "words",
    [
        "An org admin connects it under Settings, PingOne.",
        "Press Unlock password, beside the state of the password.",
        "PingOne takes too long for this page",
        "The console keeps to 70 calls a second.",
        "Raised after Connect was pressed",
        "What an agent may do, or an auditor",
    ],
)
def test_words_of_the_console_are_recognized(words: str) -> None:
    assert named_in(words)


@pytest.mark.parametrize(
    "words",
    [
        "The first page of a list",
        "One page of the users that match",
        "Connect again before then.",
        "Compare the API URL with PingOne's settings",
        "PingOne shows it under Settings, Environment Properties.",
    ],
)
def test_words_of_pingone_are_left_alone(words: str) -> None:
    assert not named_in(words)
