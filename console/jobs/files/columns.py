"""The columns of a list: what each is, recognized by its name, and which of them says who is acted on."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.action import Action
from console.actions.custom_attributes import JsonField, YesNoField, custom_fields, field_name
from console.fields import EmailField, IdField, TextField
from console.jobs.files.bad_list import BadList
from console.jobs.listed import KeyKind
from pingone_integration.profiles import ATTRIBUTES, custom_name
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text, english
from pingone_integration.typed.text import Kind, clean
from pingone_integration.user_search import id_text_in

IGNORED = ""  # the meaning of a column that is not read
POPULATION = "population_id"

KEY_LABELS: dict[KeyKind, Text] = {
    KeyKind.ID: _("User ID"),
    KeyKind.USERNAME: _("Username"),
    KeyKind.EXTERNAL_ID: _("External ID"),
    KeyKind.EMAIL: _("Email"),
}  # in the order in which a key is looked for: an ID is never ambiguous, an email address may be

# Headings that people and other systems use, in letters and digits alone.
_ALIASES: dict[str, str] = {
    KeyKind.ID: "id userid useruuid uuid pingoneid pingoneuserid subjectid benutzerid objectid",
    KeyKind.USERNAME: "username user login loginname logonname userlogin samaccountname userprincipalname upn uid "
    "subjectname benutzername benutzer anmeldename nutzername identifiant",
    KeyKind.EMAIL: "email emailaddress mail mailaddress primaryemail workemail subjectemail emailadresse courriel",
    KeyKind.EXTERNAL_ID: "externalid extid employeeid employeenumber employeeno personnelnumber staffid staffnumber "
    "workdayid hrid personalnummer matricule",
    "given_name": "givenname firstname forename first vorname prenom",
    "middle_name": "middlename middle",
    "family_name": "familyname lastname surname sn last nachname familienname nom",
    "formatted_name": "formattedname",
    "nickname": "nickname preferredname knownas",
    "title": "title jobtitle position funktion poste",
    "type": "type usertype employeetype",
    "primary_phone": "primaryphone phone phonenumber telephone telephonenumber tel workphone businessphone telefon",
    "mobile_phone": "mobilephone mobile mobilenumber mobilephonenumber cell cellphone handy mobiltelefon portable",
    "preferred_language": "preferredlanguage language sprache langue",
    "locale": "locale",
    "timezone": "timezone zoneinfo zeitzone",
    "street_address": "streetaddress street address addressline1 strasse adresse rue",
    "locality": "locality city town ort stadt ville",
    "region": "region state province stateprovince bundesland",
    "postal_code": "postalcode zip zipcode postcode plz codepostal",
    "country_code": "countrycode country countryorregion land pays",
    "account_id": "accountid account",
    POPULATION: "population populationid populationname",
}


@dataclass(frozen=True)
class Meaning:
    """Something that a column may say about a user."""

    name: str  # our name of the attribute or the input; for a key alone, the KeyKind
    label: Text
    kind: Kind
    is_yes_no: bool = False
    is_written: bool = True  # False for a key alone


@dataclass(frozen=True)
class Column:
    heading: str  # as written in the file, cleaned
    meaning: str = IGNORED
    kind: Kind = Kind.NAME
    is_yes_no: bool = False

    @classmethod
    def of(cls, heading: str, meaning: Meaning) -> "Column":
        return cls(heading, meaning.name, meaning.kind, meaning.is_yes_no)


@dataclass(frozen=True)
class Columns:
    """What the columns of one file are."""

    columns: tuple[Column, ...]
    key: KeyKind | None  # None: the users are created

    def stored(self) -> dict[str, object]:
        return {
            "key": self.key,
            "columns": [[one.heading, one.meaning, one.kind.name, one.is_yes_no] for one in self.columns],
        }

    @classmethod
    def of_stored(cls, stored: Mapping[str, object]) -> "Columns":
        rows = cast("list[tuple[str, str, str, bool]]", stored["columns"])
        listed = [Column(heading, meaning, Kind[kind], is_yes_no) for heading, meaning, kind, is_yes_no in rows]
        return cls(tuple(listed), KeyKind(str(stored["key"])) if stored["key"] else None)

    @property
    def problem(self) -> Text:
        """Return why the list cannot be read with these columns, or "" if it can."""
        named = [column.meaning for column in self.columns if column.meaning != IGNORED]
        if twice := next((meaning for meaning in named if named.count(meaning) > 1), None):
            told = _("Two columns have the same meaning: {headings}. Choose one of them.")
            both = [column.heading for column in self.columns if column.meaning == twice]
            return format_lazy(told, headings=", ".join(f"“{heading}”" for heading in both))
        needed = self.key or KeyKind.USERNAME
        if needed not in named:
            return format_lazy(_("No column is the {key}."), key=KEY_LABELS[needed])
        return ""


@dataclass(frozen=True)
class Remembered:
    """What the columns of the last list were: meanings by normalized heading, and the key."""

    meanings: Mapping[str, str]
    key: KeyKind | None


def meanings_of(action: Action, attributes: Iterable[Attribute] = ()) -> tuple[Meaning, ...]:
    """Return what the columns of a list for this action may be: keys first, then the values that it writes."""
    fields: dict[str, forms.Field] = {
        name: field for name, field in action.form.base_fields.items() if name in ATTRIBUTES or name == POPULATION
    }
    if action.form.looks_at_schema:
        fields |= custom_fields(attributes)
    own_names = {field_name(attribute.name): custom_name(attribute.name) for attribute in attributes}
    values = {
        name: Meaning(own_names.get(name, name), field.label or name, _kind_of(field), isinstance(field, YesNoField))
        for name, field in fields.items()
    }
    if not action.needs_user:
        return tuple(values.values())
    keys = [Meaning(one, label, _KINDS_OF_KEYS[one], is_written=one in values) for one, label in KEY_LABELS.items()]
    return (*keys, *(value for name, value in values.items() if name not in KEY_LABELS))


def columns_of(
    header: Sequence[str],
    meanings: Sequence[Meaning],
    *,
    creates: bool = False,
    remembered: Remembered | None = None,
    sample: Sequence[Sequence[str]] = (),
) -> Columns:
    """Recognize the columns by their headings: as remembered, by our names, PingOne's, or common ones.

    Of two columns with the same meaning only the first is read. `remembered` is the meaning by normalized heading,
    `sample` the cells of the first rows."""
    headings = [clean(heading) for heading in header]
    names = _names_of(meanings)
    chosen: list[Column] = []
    for heading in headings:
        short = normalized(heading)
        meaning = remembered.meanings.get(short) if remembered else None
        found = names.get(short) if meaning is None else next((one for one in meanings if one.name == meaning), None)
        is_first = found and found.name not in {column.meaning for column in chosen}
        chosen.append(Column.of(heading, found) if found and is_first else Column(heading))
    columns = Columns(tuple(chosen), None)
    return columns if creates else replace(columns, key=_surest_key(columns, sample, remembered))


def with_meanings(columns: Columns, chosen: Sequence[str], meanings: Sequence[Meaning], key: KeyKind | None) -> Columns:
    """Return the columns with the meanings that the operator chose, one per column. Unknown ones are ignored."""
    by_name = {one.name: one for one in meanings}
    found = [
        Column.of(column.heading, by_name[name]) if name in by_name else Column(column.heading)
        for column, name in zip(columns.columns, chosen, strict=True)
    ]
    return Columns(tuple(found), key)


def normalized(heading: str) -> str:
    """Return the heading by which columns are compared: letters and digits alone, without case and accents."""
    plain = unicodedata.normalize("NFKD", heading).casefold()
    return "".join(character for character in plain if character.isalnum())


def _names_of(meanings: Sequence[Meaning]) -> dict[str, Meaning]:
    """Return the meanings by normalized heading. The environment's own attributes come before common headings."""
    by_name = {meaning.name: meaning for meaning in meanings}
    found = {alias: by_name[name] for name, aliases in _ALIASES.items() if name in by_name for alias in aliases.split()}
    for name, meaning in by_name.items():
        own = (name, str(meaning.label), english(meaning.label), ATTRIBUTES.get(name, name))
        found |= {normalized(heading): meaning for heading in own}
    return found


def _surest_key(columns: Columns, sample: Sequence[Sequence[str]], remembered: Remembered | None) -> KeyKind:
    """Return the key of the last list, or the surest that the first rows have: a column may be there and empty."""
    there = {column.meaning: place for place, column in enumerate(columns.columns)}
    kinds = [kind for kind in KEY_LABELS if kind in there]
    filled = [kind for kind in kinds if any("".join(cells[there[kind] : there[kind] + 1]).strip() for cells in sample)]
    if remembered and remembered.key in filled:
        return remembered.key
    return next(iter(filled or kinds), KeyKind.USERNAME)


_TWICE = _("The heading “{heading}” is there twice, in columns {first} and {second}. Rename one of them.")
_ALMOST_TWICE = _(
    "The headings “{other}” and “{heading}”, in columns {first} and {second}, are the same but for how they are "
    "written. Rename one of them."
)


def check_header(header: Sequence[str], line: int) -> None:
    """Raise BadList for a header that names nothing, or something twice."""
    headings = [clean(heading) for heading in header]
    if data := next((heading for heading in headings if "@" in heading or id_text_in(heading)), None):
        told = _("The first line has to name the columns, but it contains “{data}”.")
        raise BadList(format_lazy(told, data=data[:100]), line=line)
    if not any(map(normalized, headings)):
        raise BadList(_("The first line has to name the columns."), line=line)
    seen: dict[str, int] = {}
    for place, heading in enumerate(headings, start=1):
        short = _as_compared(heading)
        if short and short in seen:
            other = headings[seen[short] - 1]
            told = _TWICE if heading.casefold() == other.casefold() else _ALMOST_TWICE
            names = {"heading": heading[:100], "other": other[:100]}
            raise BadList(format_lazy(told, first=seen[short], second=place, **names), line=line)
        seen[short] = place


def _as_compared(heading: str) -> str:
    """Return the heading without what people write in different ways. Accents stay: they make another word."""
    plain = unicodedata.normalize("NFKC", heading).casefold()
    return "".join(one for one in plain if one.isalnum() or unicodedata.category(one).startswith("M"))


def _kind_of(field: forms.Field) -> Kind:
    if isinstance(field, JsonField):
        return Kind.VERBATIM
    if isinstance(field, EmailField):
        return Kind.ADDRESS
    if isinstance(field, IdField):
        return Kind.NAME  # a population is written by its name or ID
    return field.kind if isinstance(field, TextField) else Kind.LINES


_KINDS_OF_KEYS = {
    KeyKind.ID: Kind.ID,
    KeyKind.USERNAME: Kind.ID,
    KeyKind.EXTERNAL_ID: Kind.ID,
    KeyKind.EMAIL: Kind.ADDRESS,
}
