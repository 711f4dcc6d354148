"""A browser without JavaScript: parse pages into a tree, follow links, and fill in forms by label."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from django.test import Client

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_INLINE = {"a", "b", "bdi", "code", "em", "i", "small", "span", "strong", "time"}


@dataclass(eq=False)
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._words()
        yield "" if self.tag in _INLINE else " "

    def all(self, *tags: str, **attributes: str) -> Iterator["Element"]:
        """Return all descendants with one of these tags and all of these attributes, in document order."""
        for child in self.children:
            if isinstance(child, Element):
                if (not tags or child.tag in tags) and attributes.items() <= child.attributes.items():
                    yield child
                yield from child.all(*tags, **attributes)

    def one(self, *tags: str, named: str = "", **attributes: str) -> "Element":
        found = [element for element in self.all(*tags, **attributes) if not named or element.text == named]
        assert len(found) == 1, f"{len(found)} times {tags} {named} {attributes} in: {self.text}"
        return found[0]


class _Reading(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("document")]
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in {element.tag for element in self.open}:
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: str) -> Element:
    return _Reading(page).open[0]


def sent_by(page: str, name: str, value: str) -> dict[str, str]:
    """Return what the last form with a button of this name and value sends, unchanged, when it is pressed."""
    wanted = {"name": name, "value": value} if name else {}
    form = [one for one in read(page).all("form") if list(one.all("button", **wanted))][-1]
    return dict(_filled_in(form)) | ({name: value} if name else {})


class PlainBrowser:
    """A browser whose `page` is the current page."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.address = "/"
        self.page = Element("document")

    def open(self, address: str) -> None:
        self._show(urljoin(self.address, address), self.client.get(urljoin(self.address, address), follow=True))

    def region(self, name: str) -> Element:
        """Return the section of the page with this heading or this aria-label."""
        for section in self.page.all("section"):
            heading = section.attributes.get("aria-labelledby", "")
            if section.attributes.get("aria-label") == name or (heading and self.page.one(id=heading).text == name):
                return section
        raise AssertionError(f"no part {name} in: {self.page.text}")

    def follow(self, link: str, within: Element | None = None) -> None:
        self.open((within or self.page).one("a", named=link).attributes["href"])

    def press(self, button: str, within: Element | None = None, typed: Mapping[str, str] | None = None) -> None:
        """Fill in the only form with this button, and press the button."""
        forms = [
            form for form in (within or self.page).all("form") if any(b.text == button for b in form.all("button"))
        ]
        assert len(forms) == 1, f"{len(forms)} forms with {button} in: {(within or self.page).text}"
        values = dict(_filled_in(forms[0]))
        for label, value in (typed or {}).items():
            box = forms[0].one(id=forms[0].one("label", named=label).attributes["for"])
            chosen = box.one("option", named=value).attributes["value"] if box.tag == "select" else value
            values[box.attributes["name"]] = chosen
        pressed = forms[0].one("button", named=button).attributes
        if "name" in pressed:
            values[pressed["name"]] = pressed.get("value", "")
        target = urljoin(self.address, forms[0].attributes.get("action") or self.address)
        send = self.client.post if forms[0].attributes.get("method") == "post" else self.client.get
        self._show(target, send(target, values, follow=True))

    def _show(self, address: str, response: Any) -> None:
        assert response.status_code == 200, f"{address}: {response.status_code}"
        self.address = response.redirect_chain[-1][0] if response.redirect_chain else address
        self.page = _Reading(response.content.decode()).open[0]


def _filled_in(form: Element) -> Iterator[tuple[str, str]]:
    """Return the values that the unchanged form would send."""
    for box in form.all("input", "textarea", "select"):
        name, kind = box.attributes.get("name", ""), box.attributes.get("type", "")
        if box.tag == "select":
            options = list(box.all("option"))
            chosen = [option for option in options if "selected" in option.attributes] or options[:1]
            yield from ((name, option.attributes.get("value", "")) for option in chosen)
        elif box.tag == "textarea":
            yield name, "".join(box._words()).removesuffix(" ").removeprefix("\n")
        elif kind not in {"checkbox", "radio"} or "checked" in box.attributes:
            yield name, box.attributes.get("value", "")
