"""Read a template's source: texts that are not marked for translation, and lines that hold too much."""

import re
from html.parser import HTMLParser
from pathlib import Path

from django.template.base import Lexer, Token, TokenType

_WORD = re.compile(r"[^\W\d_]{2,}")
_FILLED_IN = re.compile(r"\{\w+\}")  # of a template that is filled in by format_html
_LITERAL = re.compile(r"""(?<!_\()(?<![\w.])("[^"]*"|'[^']*')""")
_READABLE = re.compile(r"[A-Z].*[a-z]|[a-z]+ [a-z]+")
_SHOWN_ATTRIBUTES = {
    "title",
    "alt",
    "data-label",
    "placeholder",
    "aria-label",
    "aria-description",
    "aria-roledescription",
    "label",
}
_NO_TEXT = {"script", "style", "code", "kbd", "svg"}
_TAGS_OF_CODE = {
    *("url", "static", "extends", "load", "icon", "translate", "blocktranslate", "if", "elif", "for"),
    *("block", "partialdef", "partial", "element", "slot", "comment", "filter", "provider_login_url", "ifchanged"),
}
_UNTRANSLATABLE = re.compile(r"\|\s*(?:pluralize|yesno)\b")
_PROPER_NAMES = {"PingOne", "SCIM", "ID", "MFA", "CSV", "JSON", "HTML", "GET", "POST", "PUT", "PATCH", "DELETE", "UTC"}


class ShownText(HTMLParser):
    """Collects the words of a page: its texts, and the attributes that people see or hear."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NO_TEXT:
            self._silent += 1
        values = dict(attrs)
        shown = _SHOWN_ATTRIBUTES | ({"value"} if values.get("type") in {"submit", "button"} else set())
        self.texts += [value for name, value in attrs if name in shown and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in _NO_TEXT:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def unmarked_texts(path: Path) -> list[str]:
    """Return the texts of a template that no translation can reach."""
    tokens = _outside_of_translations(Lexer(path.read_text()).tokenize())
    source = "".join(token.contents if token.token_type is TokenType.TEXT else "" for token in tokens)
    if path.suffix == ".html":
        parser = ShownText()
        parser.feed(source)
        parser.close()
        texts = parser.texts
    else:
        texts = [source]
    found = [text.strip() for text in texts if set(_WORD.findall(_FILLED_IN.sub("", text))) - _PROPER_NAMES]
    for token in tokens:
        if token.token_type in {TokenType.VAR, TokenType.BLOCK}:
            found += _unmarked_literals(token)
    return found


def _outside_of_translations(tokens: list[Token]) -> list[Token]:
    kept, inside = [], ""
    for token in tokens:
        name = token.contents.split(maxsplit=1)[0] if token.token_type is TokenType.BLOCK and token.contents else ""
        if inside:
            inside = "" if name == inside else inside
        elif name in {"blocktranslate", "comment"}:
            inside = f"end{name}"
        else:
            kept.append(token)
    return kept


def _unmarked_literals(token: Token) -> list[str]:
    contents = token.contents
    found = [match[0] for match in [_UNTRANSLATABLE.search(contents)] if match]
    if token.token_type is TokenType.BLOCK:
        name, _, rest = contents.partition(" ")
        if name in _TAGS_OF_CODE:
            return found
        contents = re.sub(r"""^("[^"]*"|'[^']*')""", "", rest) if name == "include" else rest
    return found + [text for text in _LITERAL.findall(contents) if _READABLE.search(text)]


LONGEST_LINE = 160
MOST_CONDITIONS = 3  # of one if: more belong in a property
_WITHIN_A_LINE = {
    *("a", "abbr", "b", "bdi", "br", "code", "em", "i", "kbd", "small", "span", "strong", "svg", "time", "wbr", "use"),
    *("path", "img"),
}
_OPENING_TAG = re.compile(r"<([a-z][a-z0-9]*)\b")
_OPENING_BLOCK = re.compile(r"{%\s*(?:if|for|with|block|partialdef|blocktranslate|element|slot)\b")


def crowded_lines(path: Path) -> list[str]:
    """Return what makes a template hard to read: long lines, several elements in a line, long chains of conditions."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        elements = [tag for tag in _OPENING_TAG.findall(line) if tag not in _WITHIN_A_LINE]
        if len(line) > LONGEST_LINE:
            found.append(f"line {number}: {len(line)} characters")
        if path.suffix == ".html" and len(elements) > 1:
            found.append(f"line {number}: {len(elements)} elements")
        if len(_OPENING_BLOCK.findall(line)) > 2:
            found.append(f"line {number}: more than two block tags")
    return found + _long_chains(path)


def _long_chains(path: Path) -> list[str]:
    found: list[str] = []
    open_ifs: list[tuple[int, int]] = []  # line and number of conditions
    for token in Lexer(path.read_text()).tokenize():
        name = token.contents.split(maxsplit=1)[0] if token.token_type is TokenType.BLOCK and token.contents else ""
        if name == "if":
            open_ifs.append((token.lineno or 0, 1))
        elif name == "elif":
            line, conditions = open_ifs.pop()
            open_ifs.append((line, conditions + 1))
        elif name == "endif":
            line, conditions = open_ifs.pop()
            if conditions > MOST_CONDITIONS:
                found.append(f"line {line}: a chain of {conditions} conditions")
    return found
