"""The validation of a user's profile: PingOne's own attributes and the schema's custom attributes.

Source: PingOne API reference, Users > data model, and Schemas (read 2026-11).
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import Exact

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.errors import detail
from pingone_integration.sandbox.models import Environment, SchemaAttribute, User

MAX_PROFILE_BYTES = 16 * 1024

Check = Callable[[str], str]  # returns the problem of a value, or ""


def _length(least: int, most: int) -> Check:
    return lambda value: "" if least <= len(value) <= most else f"Must have {least} to {most} characters."


def _text(most: int = 256) -> Check:
    """Return PingOne's check of text: letters, marks, spaces, symbols, numbers, punctuation; no control codes."""

    def check(value: str) -> str:
        kinds = {unicodedata.category(character) for character in value}
        printable = all(kind[0] in "LMSNP" or kind == "Zs" for kind in kinds)
        return _length(1, most)(value) or ("" if printable else "Must not contain control characters.")

    return check


def _family_name(value: str) -> str:
    letters = all(unicodedata.category(one)[0] in "LMN" or one in "' .-" for one in value)
    return _length(1, 256)(value) or ("" if letters else "Must match ^[\\p{L}\\p{M}\\p{N}' .-]*$")


def _pattern(pattern: str, message: str) -> Check:
    return lambda value: "" if re.fullmatch(pattern, value) else message


def _email(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError:
        return "Must be an email address."
    return ""


def _phone(value: str) -> str:
    return "" if len(value) <= 32 and any(one.isdigit() for one in value) else "Must be a phone number."


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        return "Must be a URL."
    return "" if parts.scheme in {"http", "https"} and parts.netloc else "Must be an http or https URL."


_LANGUAGE_TAG = r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"
_LANGUAGE = rf"({_LANGUAGE_TAG}|\*)(\s*;\s*q=(0(\.\d{{1,3}})?|1(\.0{{1,3}})?))?"

CHECKS: dict[str, Check] = {
    "username": _text(128),
    "email": _email,
    "name.given": _text(),
    "name.middle": _text(),
    "name.family": _family_name,
    "name.formatted": _family_name,
    "name.honorificPrefix": _length(1, 256),
    "name.honorificSuffix": _length(1, 256),
    "nickname": _text(),
    "title": _text(),
    "type": _text(),
    "locale": _pattern(_LANGUAGE_TAG, "Must be a language tag."),
    "preferredLanguage": _pattern(rf"{_LANGUAGE}(\s*,\s*{_LANGUAGE})*", "Must be in Accept-Language syntax."),
    "timezone": _pattern(r"\w+/\w+", "Must be the name of a time zone."),
    "primaryPhone": _phone,
    "mobilePhone": _phone,
    "photo.href": _url,
    "address.streetAddress": _length(1, 256),
    "address.locality": _text(),
    "address.region": _text(),
    "address.postalCode": _length(1, 40),
    "address.countryCode": _pattern(r"[A-Z]{2}", "Must be a country code of two capitals."),
    "accountId": _length(1, 1024),
    "externalId": _length(1, 1024),
}
COMPLEX = ("name", "photo", "address")


@dataclass
class ProfileCheck:
    """A reader of a request's attributes that are in the schema. It collects all problems."""

    environment: Environment
    user: User | None = None  # whose profile is changed; None: a new user
    problems: list[dict[str, Any]] = field(default_factory=list)

    def merged(self, body: dict[str, Any]) -> dict[str, Any]:
        """Apply a PATCH: a sent value replaces the whole attribute, even a complex one; null clears it."""
        present = self.user.profile if self.user else {}
        return self._complete({**present, **dict(self._known(body))})

    def replaced(self, body: dict[str, Any]) -> dict[str, Any]:
        """Apply a PUT or a create: attributes that are not sent are cleared."""
        return self._complete(dict(self._known(body)))

    def _known(self, body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Yield the schema's attributes that may be written here. Other attributes are silently dropped."""
        custom = {
            one.name: one for one in self.environment.schema_attributes.filter(schema_type="CUSTOM", enabled=True)
        }
        for name, value in body.items():
            if name in COMPLEX:
                yield name, self._complex(name, value)
            elif name in CHECKS:
                yield name, self._checked(name, value)
            elif name in custom:
                yield name, self._custom(custom[name], value)

    def _complex(self, name: str, value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            self._refuse("INVALID_VALUE", name, "Must be an object.")
            return None
        parts = {key: self._checked(f"{name}.{key}", part) for key, part in value.items() if f"{name}.{key}" in CHECKS}
        return {key: part for key, part in parts.items() if part is not None} or None

    def _checked(self, path: str, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            self._refuse("INVALID_VALUE", path, "Must be a string.")
        elif not value:
            self._refuse("EMPTY_VALUE", path, "Must not be empty.")
        elif message := CHECKS[path](value):
            self._refuse("INVALID_VALUE", path, message)
        return value

    def _custom(self, attribute: SchemaAttribute, value: Any) -> Any:
        if value is None or attribute.type == "JSON":
            return value
        expected = {"BOOLEAN": bool}.get(attribute.type, str)
        values = value if attribute.multi_valued else [value]
        if not isinstance(values, list) or not all(isinstance(one, expected) for one in values):
            self._refuse("INVALID_VALUE", attribute.name, "The value is not of the attribute's type.")
            return value
        for one in values:
            self._check_enumeration(attribute, one)
            self._check_pattern(attribute, one)
        return value

    def _check_enumeration(self, attribute: SchemaAttribute, value: str) -> None:
        listed = attribute.definition.get("enumeratedValues")
        if not listed:
            return
        held = self.user.profile.get(attribute.name) if self.user else None
        if value == held or (isinstance(held, list) and value in held):
            return  # a user may keep an archived value
        allowed = [one["value"] for one in listed if not one.get("archived")]
        if value not in allowed:
            self._refuse("INVALID_VALUE", attribute.name, "Not one of the allowed values.", allowedValues=allowed)

    def _check_pattern(self, attribute: SchemaAttribute, value: str) -> None:
        rule = attribute.definition.get("regexValidation")
        if rule and not re.fullmatch(rule["pattern"], value):
            self._refuse("INVALID_VALUE", attribute.name, rule["requirements"], allowedPattern=rule["pattern"])

    def _complete(self, profile: dict[str, Any]) -> dict[str, Any]:
        profile = {name: value for name, value in profile.items() if value is not None}
        for attribute in self.environment.schema_attributes.filter(required=True, enabled=True).exclude(
            schema_type="CORE"
        ):
            if attribute.name not in profile:
                self._refuse("REQUIRED_VALUE", attribute.name, "A value is required.")
        if "username" not in profile:
            self._refuse("REQUIRED_VALUE", "username", "A value is required.")
        if len(json.dumps(profile, ensure_ascii=False).encode()) > MAX_PROFILE_BYTES:
            self._refuse("SIZE_LIMIT_EXCEEDED", "user", "The profile is too big.", maximumValue=MAX_PROFILE_BYTES)
        if not self.problems:
            self._check_uniqueness(profile)
        if self.problems:
            raise errors.invalid_data(*self.problems)
        return profile

    def _check_uniqueness(self, profile: dict[str, Any]) -> None:
        others = User.objects.filter(environment=self.environment)
        if self.user is not None:
            others = others.exclude(pk=self.user.pk)
        if others.filter(username_key=profile["username"].lower()).exists():
            self._refuse("UNIQUENESS_VIOLATION", "username", "This value is already in use.")
        unique = self.environment.schema_attributes.filter(unique=True, enabled=True)
        for attribute in unique.exclude(schema_type="CORE"):
            value = profile.get(attribute.name)
            if value is None:
                continue
            if attribute.name == "email":
                taken = others.filter(email_key=value.lower())
            else:
                taken = others.filter(Exact(KeyTextTransform(attribute.name, "profile"), value))
            if taken.exists():
                self._refuse("UNIQUENESS_VIOLATION", attribute.name, "This value is already in use.")

    def _refuse(self, code: str, target: str, message: str, **inner_error: Any) -> None:
        self.problems.append(detail(code, target, message, **inner_error))
