"""The part of Tabler's stylesheet that the console's pages use (`make stylesheet`).

A browser reads the stylesheet again for each page, and most of Tabler is for things that no page shows. Kept are the
rules whose classes occur in a template, a script or the Python code, and the variables and animations they need.
"""

import ast
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tinycss2
from tinycss2.ast import Declaration, FunctionBlock, HashToken, LiteralToken, ParseError, QualifiedRule

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "tests" / "support" / "tabler" / "tabler.min.css"
TARGET = ROOT / "static" / "vendor" / "tabler" / "tabler.css"

_CLASS_ATTRIBUTE = re.compile(r'\bclass="([^"]*)"')
_TAG = re.compile(r"{%.*?%}", re.DOTALL)
_VARIABLE = re.compile(r"{{.*?}}", re.DOTALL)
_LITERAL = re.compile(r""""([^"\n]*)"|'([^'\n]*)'""")
_WORD = re.compile(r"[A-Za-z][\w-]*")
_DATA_ATTRIBUTE = re.compile(r"\bdata-[\w-]+")
_CAMEL_CASE = re.compile(r"\bdataset\.(\w+)")
_VAR = re.compile(r"var\(\s*(--[\w-]+)")
_WITH_RULES_INSIDE = {"media", "supports", "layer", "container"}

Node = Any  # tinycss2 has no types


@dataclass
class Used:
    """What the pages can have: classes, beginnings of classes that a template completes, and data attributes."""

    classes: set[str] = field(default_factory=set)
    beginnings: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    own_styles: str = ""

    def has_class(self, name: str) -> bool:
        if name in self.classes:
            return True
        return any(name.startswith(start) and name.removeprefix(start) in self.classes for start in self.beginnings)


def used() -> Used:
    """Read templates, scripts and Python code for what the pages can have."""
    found = Used()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        found.attributes.update(_DATA_ATTRIBUTE.findall(text))
        for tag in _TAG.findall(text):
            found.classes.update(_words_of_literals(tag))
        for attribute in _CLASS_ATTRIBUTE.findall(text):
            for word in _VARIABLE.sub("\0", _TAG.sub(" ", attribute)).split():
                start, completed, _ = word.partition("\0")
                (found.beginnings if completed and start else found.classes).add(start)
    for path in sorted((ROOT / "static" / "console").glob("*.js")):
        text = path.read_text()
        found.classes.update(_words_of_literals(text))
        found.attributes.update(_DATA_ATTRIBUTE.findall(text))
        found.attributes.update(
            "data-" + re.sub("[A-Z]", r"-\g<0>", name).lower() for name in _CAMEL_CASE.findall(text)
        )
    for path in sorted((ROOT / "console").rglob("*.py")):
        for text in _literals(ast.parse(path.read_text())):
            found.classes.update(word for word in text.split() if _WORD.fullmatch(word))
    found.own_styles = "".join(path.read_text() for path in sorted((ROOT / "static" / "console").glob("*.css")))
    return found


def _words_of_literals(code: str) -> Iterator[str]:
    for double, single in _LITERAL.findall(code):
        yield from _WORD.findall(double or single)


def _literals(tree: ast.Module) -> Iterator[str]:
    """Return the strings of Python code, without docstrings."""
    statements = (node for node in ast.walk(tree) if isinstance(node, ast.Expr))
    docstrings = {id(node.value) for node in statements}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def reduced(source: str, used: Used) -> str:
    """Return the stylesheet without the rules, variables and animations that no page uses. The license stays."""
    license_text = source[: source.index("*/") + 2]
    rules = _rules_kept(tinycss2.parse_stylesheet(source, skip_comments=True, skip_whitespace=True), used)
    text, before = _text(rules, _Needed.all()), ""
    while text != before:  # a variable may be needed by a variable only that nothing needs
        before = text
        text = _text(rules, _Needed.by(text, used.own_styles))
    return f"{license_text}\n{text}\n"


def _rules_kept(nodes: Iterable[Node], used: Used) -> list[Node]:
    kept = []
    for node in nodes:
        if isinstance(node, ParseError):
            raise TypeError(node.message)
        if isinstance(node, QualifiedRule):
            node.prelude = _selectors_kept(node.prelude, used)
        elif node.lower_at_keyword in _WITH_RULES_INSIDE:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            node.content = _rules_kept(inner, used)
        if node.content and node.prelude:
            kept.append(node)
    return kept


def _selectors_kept(prelude: list[Node], used: Used) -> list[Node]:
    kept: list[Node] = []
    for selector in _split(prelude):
        if _can_match(selector, used):
            kept += [LiteralToken(0, 0, ","), *selector] if kept else selector
    return kept


def _split(nodes: Iterable[Node]) -> list[list[Node]]:
    """Return the parts between commas."""
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if node == ",":
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _can_match(selector: list[Node], used: Used) -> bool:
    """Return whether an element of a page can match the selector, as far as classes and data attributes tell."""
    before: Node = None
    for node in selector:
        if isinstance(node, HashToken):
            return False  # an ID of Tabler's own site
        if node.type == "ident" and before == "." and not used.has_class(node.value):
            return False
        if node.type == "[] block":
            name = next(part.value for part in node.content if part.type == "ident")
            if name.startswith("data-") and name not in used.attributes:
                return False
        is_choice = isinstance(node, FunctionBlock) and node.lower_name in {"is", "where", "has"}
        if is_choice and not any(_can_match(part, used) for part in _split(node.arguments)):
            return False
        before = node
    return True


@dataclass(frozen=True)
class _Needed:
    """The variables and animations that declarations name."""

    variables: Container[str]
    animations: Container[str]

    @classmethod
    def all(cls) -> "_Needed":
        return cls(variables=_Everything(), animations=_Everything())

    @classmethod
    def by(cls, *styles: str) -> "_Needed":
        text = " ".join(styles)
        values = " ".join(re.findall(r"animation(?:-name)?:([^;}]*)", text))
        return cls(variables=set(_VAR.findall(text)), animations=set(re.findall(r"[\w-]+", values)))


class _Everything:
    def __contains__(self, name: object) -> bool:
        return True


def _text(rules: Iterable[Node], needed: _Needed) -> str:
    return "".join(_text_of(rule, needed) for rule in rules)


def _text_of(rule: Node, needed: _Needed) -> str:
    prelude = tinycss2.serialize(rule.prelude).strip()
    if isinstance(rule, QualifiedRule):
        declarations = tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
        content = ";".join(part.serialize() for part in declarations if _is_needed(part, needed))
        return f"{prelude}{{{content}}}" if content else ""
    if rule.lower_at_keyword in _WITH_RULES_INSIDE:
        content = _text(rule.content, needed)
    elif rule.lower_at_keyword == "property":
        content = tinycss2.serialize(rule.content) if prelude in needed.variables else ""
    elif rule.lower_at_keyword.endswith("keyframes"):
        content = tinycss2.serialize(rule.content) if prelude in needed.animations else ""
    else:
        raise TypeError(f"@{rule.at_keyword} is not known here")
    return f"@{rule.at_keyword} {prelude}{{{content}}}" if content else ""


def _is_needed(declaration: Node, needed: _Needed) -> bool:
    if not isinstance(declaration, Declaration):
        raise TypeError(f"a rule in a rule is not known here: {declaration.serialize()}")
    return not declaration.name.startswith("--") or declaration.name in needed.variables


def main() -> None:
    TARGET.write_text(reduced(SOURCE.read_text(), used()))


if __name__ == "__main__":
    main()
