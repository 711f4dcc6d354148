"""Typed and pasted text: every form and every option of a command gets it without invisible characters."""

import argparse
import importlib
import io
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.core.cache import cache
from django.core.management import call_command, get_commands, load_command_class
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

import console
from console.actions.catalogue import ACTIONS
from console.actions.custom_attributes import custom_fields
from console.call_api.forms import CallApiForm
from console.models import AuditEntry, Operator
from console.users.search_forms import UserSearchForm
from pingone_integration.schemas import attribute_of
from pingone_integration.typed.text import Kind
from tests.support.answers import ADA, ada, listing
from tests.support.people import make_organization

INVISIBLE = {
    "zero-width space": "\u200b",
    "zero-width non-joiner": "\u200c",
    "zero-width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "Arabic letter mark": "\u061c",
    "embedding and its end": "\u202a\u202c",
    "override": "\u202e",
    "isolate and its end": "\u2066\u2069",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "variation selector": "\ufe0f",
    "grapheme joiner": "\u034f",
    "tag": "\U000e0041",
    "Hangul filler": "\u3164",
    "control": "\x02",
}
BLANK_ENDS = {"no-break space": "\u00a0", "narrow no-break space": "\u202f", "ideographic space": "\u3000", "tab": "\t"}
EVERYWHERE = "".join(INVISIBLE.values())
AT_ENDS = EVERYWHERE + "".join(BLANK_ENDS.values()) + EVERYWHERE
ID = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
NOT_OFFERED = {  # forms of allauth behind URLs that are closed or need a setting that is off
    *("SignupForm", "AddEmailForm", "ConfirmEmailForm", "ConfirmPasswordResetCodeForm", "ConfirmLoginCodeForm"),
    *("RequestLoginCodeForm", "ConfirmEmailVerificationCodeForm", "ConfirmReauthenticationCodeForm"),
    "SignupWebAuthnForm",
}


def forms_of_the_console() -> list[type[forms.Form]]:
    for module in pkgutil.walk_packages(console.__path__, "console."):
        if not module.name.endswith(("__main__", "wsgi")) and ".migrations" not in module.name:
            importlib.import_module(module.name)
    return sorted(
        (form for form in subclasses(forms.Form) if form.__module__.startswith("console.")),
        key=lambda form: f"{form.__module__}.{form.__qualname__}",
    )


def subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def forms_of_sign_in() -> Iterator[type[forms.Form]]:
    """Yield the form of each URL of allauth."""

    def views(patterns: Any) -> Iterator[Any]:
        for one in patterns:
            if isinstance(one, URLResolver):
                yield from views(one.url_patterns)
            elif isinstance(one, URLPattern) and hasattr(one.callback, "view_class"):
                yield one.callback.view_class

    for view in views(get_resolver().url_patterns):
        if hasattr(view, "get_form_class") and view.__module__.startswith("allauth."):
            try:
                yield view().get_form_class()
            except AttributeError:  # one view looks at the request first
                yield view.form_class


def typed_fields(form: type[forms.Form]) -> dict[str, forms.CharField]:
    """Return the fields that people can type or paste into: not the hidden ones that only scripts fill in."""
    return {
        name: field
        for name, field in form.base_fields.items()
        if isinstance(field, forms.CharField) and not (field.widget.is_hidden and isinstance(field, forms.JSONField))
    }


def is_password(field: forms.Field) -> bool:
    return isinstance(field.widget, forms.PasswordInput) and not hasattr(field, "kind")


@pytest.mark.parametrize("form", forms_of_the_console(), ids=lambda form: form.__qualname__)
def test_form_cleans_every_text_field(form: type[forms.Form]) -> None:
    for name, field in typed_fields(form).items():
        if is_password(field):
            assert field.to_python(f" \u200b{AT_ENDS}") == f" \u200b{AT_ENDS}", name
            continue
        assert_cleaned(name, field)


@pytest.mark.parametrize("kind", ["STRING", "JSON"])
@pytest.mark.parametrize("multi_valued", [False, True])
def test_custom_attribute_is_cleaned(kind: str, multi_valued: bool) -> None:
    described = {"name": "x", "type": kind, "schemaType": "CUSTOM", "enabled": True, "multiValued": multi_valued}
    attribute = attribute_of(described)
    assert attribute
    field = custom_fields([attribute])["custom.x"]
    typed = "[1]" if kind == "JSON" else "one"

    assert field.clean(f"{AT_ENDS}{typed}{AT_ENDS}") == field.clean(typed)


def assert_cleaned(name: str, field: forms.CharField) -> None:
    sample = ID if isinstance(field, forms.UUIDField) else "abc-1"
    expected = field.to_python(sample)
    for told, mark in (INVISIBLE | BLANK_ENDS).items():
        assert field.to_python(f"{mark}{sample}{mark}") == expected, (name, told)
    assert field.to_python(f"{AT_ENDS}{sample}{AT_ENDS}") == expected, name
    if getattr(field, "kind", None) is not Kind.VERBATIM:
        for told, mark in INVISIBLE.items():
            assert field.to_python(f"{sample[:2]}{mark}{sample[2:]}") == expected, (name, told)
    if getattr(field, "kind", Kind.ID) in {Kind.ID, Kind.ADDRESS}:
        assert field.to_python(f"“{sample}”, ") == expected, name


def test_every_form_of_sign_in_is_one_that_cleans() -> None:
    plain = {
        form.__name__
        for form in forms_of_sign_in()
        if form.__module__.startswith("allauth.") and not all(map(is_password, typed_fields(form).values()))
    }

    assert plain <= NOT_OFFERED


def options_of(command: str, app: Any) -> Iterator[argparse.Action]:
    parser = load_command_class(app, command).create_parser("manage.py", command)
    pending: list[argparse.ArgumentParser] = [parser]
    while pending:
        for option in pending.pop()._actions:
            if isinstance(option, argparse._SubParsersAction):
                pending.extend(option.choices.values())
            elif option.nargs != 0 and option.default is not argparse.SUPPRESS:
                yield option


@pytest.mark.parametrize("command", sorted(name for name, app in get_commands().items() if app == "console"))
def test_command_cleans_every_option(command: str) -> None:
    django_s = {"verbosity", "settings", "pythonpath"}
    if command == "migrate":  # which only adds a lock to Django's own
        return
    typed_forms: list[type[forms.Form]] = [CallApiForm, UserSearchForm, *(action.form for action in ACTIONS)]
    in_forms = {name for form in typed_forms for name in typed_fields(form)}
    for option in options_of(command, "console"):
        if option.dest in django_s | {"body_file", "file"} or option.dest.removeprefix("input_") in in_forms:
            continue  # a path is the shell's; a form's field is tested above
        assert callable(option.type), option.dest
        if option.type not in {int, float, Path}:
            assert option.type(f"{AT_ENDS}acme{AT_ENDS}") == "acme", option.dest


@pytest.fixture
def create(browser_of: Callable[..., Client], org_admin: Operator, pingone: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that creates a user and returns what PingOne was sent."""
    cache.clear()
    pingone._assert_all_called = False
    for path in ("schemas", "populations", "groups"):
        pingone.get(f"/{path}").respond(json=listing(path))
    pingone.get(f"/users/{ADA}").respond(json=ada())
    wire = pingone.post("/users").respond(201, json=ada())

    def create(**fields: str) -> Any:
        form = {"username": "ada.berg", "submission": str(uuid4())} | fields
        answer = browser_of(org_admin).post("/o/acme/users/new/", form)
        return json.loads(wire.calls.last.request.content) if wire.called else answer

    yield create
    cache.clear()


@pytest.mark.parametrize(
    "typed",
    [
        "x@acme.test\u200b",
        "x@acme.test,",
        "MAILTO:x@acme.test",
        "<mailto:x@acme.test>;",
        "“x@acme.test”",
        "X Y <x@acme.test>",
    ],
)
def test_email_address_is_stored_as_it_reads(create: Callable[..., Any], typed: str) -> None:
    assert create(email=typed)["email"] == "x@acme.test"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("x y@acme.test", "The email address contains a space after “x”."),
        ("ada@acme,test", "The part after the @ contains “,” after “acme”."),
        ("ad\u2019a@acme.test", "The email address contains “\u2019” (U+2019) after “ad”."),
        ("(ada@acme.test", "The email address begins with “(”."),
        ("ada@@acme.test", "The part after the @ begins with “@”."),
    ],
)
def test_email_address_is_refused_with_the_character_that_cannot_be_right(
    create: Callable[..., Any], typed: str, told: str
) -> None:
    assert told in create(email=typed).text


@pytest.mark.django_db
def test_operator_signs_in_with_a_pasted_address() -> None:
    operator = Operator.objects.create_user("ada@acme.test", "a long-enough password")
    make_organization("acme", "Acme").memberships.create(operator=operator, role="auditor")
    client = Client()

    client.post("/accounts/login/", {"login": "<mailto:ADA@acme.test\u200b>,", "password": "a long-enough password"})

    assert client.session["_auth_user_id"] == str(operator.pk)


def test_command_understands_pasted_options(helpdesk: Operator, pingone: Any) -> None:
    search = pingone.get("/users").respond(json=listing("users", ada()))
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.post(f"/users/{ADA}").respond(json={})

    options = [
        "--user",
        "<MAILTO:ada.berg@acme.test>,",
        "--as",
        "\u200b“agent@acme.test”",
        "--ticket",
        "“INC-1”,",
    ]
    call_command("pingone", "\ufeffacme", "user.unlock", *options, stdout=io.StringIO(), stderr=io.StringIO())

    assert search.calls.last.request.url.params["filter"] == 'email eq "ada.berg@acme.test"'
    assert AuditEntry.objects.current().get().ticket == "INC-1"
