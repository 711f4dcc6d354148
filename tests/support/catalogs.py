"""The message catalogs in console/locale: extract the marked texts, and write each catalog (`make messages`).

The pseudo-locale en-XA shows each text in brackets and accented letters, so that a page shows which text is not marked.
German and French have the texts that users see, and no others: people translate them in the .po files, which keep what
is translated.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "console" / "locale"
PSEUDO = "en_XA"
TRANSLATED = ("de", "fr")

# What users see, on pages and in mails, as parts of paths. Operators' pages are in English.
FOR_USERS = (
    "templates/console/email/user_event.txt",
    "templates/console/failures/for_users.html",
    "templates/console/page/document.html",
    "templates/console/page/languages.html",
    "templates/console/page/theme_switch.html",
    "templates/console/recovery/",
    "templates/console/user_mails/",
    "console/page/themes.py",
    "console/recovery/",
    "console/user_mails/",
    "console/views/recover.py",
    "console/views/recover_answer.py",
    "console/views/recover_device.py",
    "pingone_integration/password_rules.py",
)
FOR_OPERATORS = tuple(
    f"console/recovery/{name}.py" for name in ("counting", "previews", "references", "report", "stops")
)

KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
DAY = datetime(2026, 1, 1, tzinfo=UTC)  # fixed, so that a file changes with its texts only
_ACCENTED = str.maketrans("aceginorsuyACEGINORSUY", "áçéğíñöŕšúýÁÇÉĞÍÑÖŔŠÚÝ")
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|\{[^}]*\}|<[^>]*>|&\w+;)")


def sources() -> list[Path]:
    """Return the files whose texts a page may show."""
    python = [path for folder in ("console", "pingone_integration") for path in (ROOT / folder).rglob("*.py")]
    sandbox = ROOT / "pingone_integration" / "sandbox"
    return sorted(path for path in [*python, *templates()] if not path.is_relative_to(sandbox))


def templates() -> list[Path]:
    return sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"})


def sources_for_users() -> list[Path]:
    """Return the files whose texts users see."""
    named = [(path, str(path.relative_to(ROOT))) for path in sources()]
    return [path for path, name in named if name.startswith(FOR_USERS) and name not in FOR_OPERATORS]


def extracted(paths: Iterable[Path] | None = None) -> Catalog:
    """Return a catalog of all marked texts, sorted and without places, so that moving code does not change it."""
    found = set()
    for path in sources() if paths is None else paths:
        if path.suffix == ".py":
            found |= _messages(path.read_bytes())
        else:
            # One line at a time: the template's own text became X's, which are no Python together.
            for line in templatize(path.read_text(), origin=str(path)).splitlines():
                found |= _messages(line.strip().encode())
    catalog = Catalog(header_comment="", fuzzy=False)
    for context, message in sorted(found, key=str):
        catalog.add(message, context=context)
    return catalog


def _messages(source: bytes) -> set[tuple[str | None, str | tuple[str, ...]]]:
    found = extract("python", BytesIO(source), KEYWORDS)
    return {(context, message) for _, message, _, context in found if message}


def pseudo(text: str) -> str:
    """Return the text in brackets and accented letters. Placeholders, tags and outer spaces stay."""
    inner = text.strip()
    parts = (part if _KEPT.fullmatch(part) else part.translate(_ACCENTED) for part in _KEPT.split(inner))
    return text.replace(inner, f"[{''.join(parts)}]", 1)


def pseudo_catalog() -> Catalog:
    catalog = Catalog(locale="en_US", header_comment="", fuzzy=False, creation_date=DAY, revision_date=DAY)
    for message in extracted():
        if message.id:
            translated = pseudo(message.id) if isinstance(message.id, str) else tuple(map(pseudo, message.id))
            catalog.add(message.id, translated, context=message.context)
    return catalog


def translated_catalog(locale: str) -> Catalog:
    """Return the texts for users with the translations that there are. A new text has none, a dropped one is gone."""
    known = contents(committed_po(locale)) if (LOCALE / locale).exists() else {}
    catalog = Catalog(locale=locale, header_comment="", fuzzy=False, creation_date=DAY, revision_date=DAY)
    for message in extracted(sources_for_users()):
        if message.id:
            forms = known.get((message.context, forms_of(message.id)), ())
            string = forms if isinstance(message.id, tuple) else "".join(forms)
            catalog.add(message.id, string, context=message.context)
    return catalog


def placeholders(text: str) -> list[str]:
    """Return what a translation has to keep: placeholders and tags, in any order."""
    return sorted(part for part in _KEPT.findall(text) if not part.startswith("&"))


def as_mo(catalog: Catalog) -> bytes:
    written = BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def contents(catalog: Catalog) -> dict[tuple[str | None, tuple[str, ...]], tuple[str, ...]]:
    """Return the translations by context and message. Babel gives plural forms as tuples or lists."""
    return {(message.context, forms_of(message.id)): forms_of(message.string) for message in catalog if message.id}


def forms_of(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def committed_po(locale: str) -> Catalog:
    with (LOCALE / locale / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file)


def committed_mo(locale: str) -> Catalog:
    with (LOCALE / locale / "LC_MESSAGES" / "django.mo").open("rb") as file:
        return read_mo(file)


def main() -> None:
    _write(PSEUDO, pseudo_catalog())
    for locale in TRANSLATED:
        _write(locale, translated_catalog(locale))


def _write(locale: str, catalog: Catalog) -> None:
    folder = LOCALE / locale / "LC_MESSAGES"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "django.po").open("wb") as file:
        write_po(file, catalog, width=0, omit_header=False, sort_output=True)
    (folder / "django.mo").write_bytes(as_mo(catalog))
    missing = sum(1 for message in catalog if message.id and not all(forms_of(message.string)))
    told = f", {missing} of them not translated" if missing else ""
    print(f"{len(catalog)} texts in {folder.relative_to(ROOT)}{told}")


if __name__ == "__main__":
    main()
