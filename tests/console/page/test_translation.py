"""Every text of a page can be translated, and the committed catalogs are current."""

from itertools import zip_longest
from pathlib import Path

import pytest

from tests.support import catalogs
from tests.support.template_text import crowded_lines, unmarked_texts

EVERY_TEMPLATE = pytest.mark.parametrize(
    "path", [pytest.param(path, id=str(path.relative_to(catalogs.ROOT))) for path in catalogs.templates()]
)


@EVERY_TEMPLATE
def test_template_has_no_unmarked_text(path: Path) -> None:
    assert unmarked_texts(path) == []


@EVERY_TEMPLATE
def test_template_is_easy_to_read(path: Path) -> None:
    assert crowded_lines(path) == []


@pytest.mark.parametrize(
    ("source", "unmarked"),
    [
        ("<p>{{ user.name }}</p>", []),
        ("<p title='{name}'>{name}</p>", []),
        ("<p>{name} left</p>", ["{name} left"]),
        ("<p>No users</p>", ["No users"]),
        ("<p>{{ n }} users</p>", ["users"]),
        ('<p>{% translate "No users" %}</p>', []),
        ("<p>{% blocktranslate trimmed %}No users{% endblocktranslate %}</p>", []),
        ('<a title="Copy">{% icon "copy" %}</a>', ["Copy"]),
        ('<input type="submit" value="Save"><input type="hidden" value="Save it">', ["Save"]),
        ('{% when user.created_at "Never" %}', ['"Never"']),
        ('{% when user.created_at _("Never") %}', []),
        ('{{ user.username|default:"No username" }}', ['"No username"']),
        ("user{{ count|pluralize }}", ["user", "|pluralize"]),
        ('{% include "console/page/notice.html" with text="Not found" %}', ['"Not found"']),
        ("<script>let words = 'in code';</script>", []),
        ("PingOne, UTC", []),
    ],
)
def test_unmarked_text_is_found(tmp_path: Path, source: str, unmarked: list[str]) -> None:
    path = tmp_path / "page.html"
    path.write_text(source)

    assert unmarked_texts(path) == unmarked


def test_catalog_of_the_pseudo_locale_is_current() -> None:
    current = catalogs.contents(catalogs.pseudo_catalog())

    assert catalogs.contents(catalogs.committed_po(catalogs.PSEUDO)) == current, "run make messages"
    assert catalogs.contents(catalogs.committed_mo(catalogs.PSEUDO)) == current, "run make messages"


def test_pseudo_locale_keeps_placeholders_and_tags() -> None:
    assert catalogs.pseudo("Removed <b>{name}</b> from %(group)s &amp; left") == (
        "[Ŕémövéd <b>{name}</b> fŕöm %(group)s &amp; léft]"
    )


@pytest.mark.parametrize("locale", catalogs.TRANSLATED)
def test_users_read_everything_in_their_language(locale: str) -> None:
    wanted, kept = catalogs.translated_catalog(locale), catalogs.contents(catalogs.committed_po(locale))

    assert catalogs.contents(wanted).keys() == kept.keys(), "run make messages, then translate what is new"
    assert [text for text, forms in kept.items() if not all(forms)] == []
    assert catalogs.contents(catalogs.committed_mo(locale)) == kept, "run make messages"


@pytest.mark.parametrize("locale", catalogs.TRANSLATED)
def test_translation_keeps_placeholders_and_has_each_plural_form(locale: str) -> None:
    catalog = catalogs.committed_po(locale)
    for (_context, texts), forms in catalogs.contents(catalog).items():
        assert len(forms) == (1 if len(texts) == 1 else catalog.num_plurals)
        for translation, text in zip_longest(forms, texts, fillvalue=texts[-1]):
            assert catalogs.placeholders(translation) == catalogs.placeholders(text), translation


def test_texts_of_operators_are_not_in_the_languages_of_users() -> None:
    names = {str(path.relative_to(catalogs.ROOT)) for path in catalogs.sources_for_users()}

    assert "templates/console/page/languages.html" in names
    assert not [name for name in names if name.startswith(("templates/console/policies", "console/policies"))]
