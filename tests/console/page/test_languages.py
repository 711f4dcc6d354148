"""The pages and mails for users are in their language; those of operators are not."""

import re
from dataclasses import replace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils import translation

from console.user_mails.languages import UserLanguage, language_of
from pingone_integration.users import user_of
from tests.support.answers import ada

CHOOSE = "/recover/acme/language/"


def language_at(path: str, **sent: str) -> tuple[str | None, HttpResponse]:
    """Return the language in which a view below this path answers, and the response."""
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(translation.get_language())
        return HttpResponse("")

    request = RequestFactory(headers={"accept-language": sent.get("accept", "")}).get(path)
    if "cookie" in sent:
        request.COOKIES["user_language"] = sent["cookie"]
    response = UserLanguage(view)(request)
    assert isinstance(response, HttpResponse)
    return seen[0], response


@pytest.mark.parametrize(
    ("sent", "language"),
    [
        ({"accept": "de-AT,de;q=0.9,en;q=0.5"}, "de"),
        ({"accept": "pl,fr-CA;q=0.8"}, "fr"),
        ({"accept": "pl"}, "en"),
        ({"accept": ""}, "en"),
        ({"accept": "de", "cookie": "fr"}, "fr"),
        ({"accept": "de", "cookie": "../../etc"}, "de"),
    ],
)
def test_page_for_users_has_their_language(sent: dict[str, str], language: str) -> None:
    before = translation.get_language()

    answered, response = language_at("/recover/acme/", **sent)

    assert answered == language
    assert response["Content-Language"] == language
    assert "Accept-Language" in response["Vary"]
    assert translation.get_language() == before, "the next request of this thread"


def test_page_for_operators_stays_in_english() -> None:
    answered, response = language_at("/o/acme/", accept="de", cookie="fr")

    assert answered == "en"
    assert "Content-Language" not in response


@pytest.mark.parametrize(
    ("sent", "back"),
    [
        ("/recover/acme/", "/recover/acme/"),
        ("https://evil.test/recover/", "/recover/acme/"),
        ("//evil.test/recover/", "/recover/acme/"),
        ("/recover/../o/acme/", "/recover/../o/acme/"),
        ("/recover/\\evil", "/recover/\\evil"),
        ("/o/acme/", "/recover/acme/"),
        ("", "/recover/acme/"),
    ],
)
def test_choice_leads_back_to_a_page_for_users(client: Client, sent: str, back: str) -> None:
    response = client.post(CHOOSE, {"language": "de", "next": sent})

    assert response.status_code == 302
    assert response["Location"].removeprefix("http://testserver") == back.replace("\\", "%5C")
    cookie = response.cookies["user_language"]
    assert (cookie.value, cookie["path"], cookie["httponly"], cookie["max-age"]) == ("de", "/", True, "")


@pytest.mark.parametrize("language", ["", "xx", "pl", "de; Path=/"])
def test_choice_of_another_language_is_ignored(client: Client, language: str) -> None:
    assert not client.post(CHOOSE, {"language": language}).cookies


def test_nothing_is_chosen_by_a_link(client: Client) -> None:
    assert client.get(f"{CHOOSE}?language=de").status_code == 405


@pytest.mark.parametrize(
    ("preferred", "locale", "language"),
    [
        ("de", "", "de"),
        ("de-CH,en;q=0.5", "fr", "de"),
        ("en;q=0.2, fr;q=0.9", "", "fr"),
        ("sv", "fr_CA", "fr"),
        ("SV", "DE", "de"),
        ("", "", "en"),
        ("sv", "sv-SE", "en"),
        ("\u202ede<b>", ";;q=", "en"),
        ("x" * 5_000, "de", "de"),
    ],
)
def test_mail_to_a_user_is_in_their_language(preferred: str, locale: str, language: str) -> None:
    known = user_of(ada())
    assert known

    assert language_of(replace(known, preferred_language=preferred, locale=locale)) == language


def test_choice_is_a_form_with_each_language_by_its_own_name(rf: RequestFactory) -> None:
    request = rf.get("/recover/acme/")
    request.user, request.session = AnonymousUser(), SessionBase()
    request.resolver_match = resolve("/recover/acme/language/")  # any page of an organization

    with translation.override("fr"):
        shown = render(request, "console/page/languages.html").content.decode()

    assert [name for name in ("English", "Deutsch", "français") if name in shown] == ["English", "Deutsch", "français"]
    assert 'action="/recover/acme/language/"' in shown
    assert re.findall(r'value="(\w+)"[^>]*aria-current', shown) == ["fr"]
    assert "csrfmiddlewaretoken" in shown
