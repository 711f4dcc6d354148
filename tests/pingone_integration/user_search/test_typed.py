"""The pasted text of a search: email addresses and user IDs, with what copying leaves around them."""

from uuid import UUID

import pytest

from pingone_integration.user_search import Criteria, filter_of, user_id_in
from pingone_integration.user_search.typed import cleaned
from tests.support.user_filters import matches

ADA = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21")
ENVIRONMENT = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")


@pytest.mark.parametrize(
    "text",
    [
        f"{ADA}",
        f" {ADA} ".upper(),
        f"{{{ADA}}}",
        f"({ADA})",
        f"“{ADA}”",
        f"'{ADA}',",
        f"\u200b{ADA}\ufeff",
        f"ID: {ADA}",
        f"id={ADA}",
        f"ID:{{{ADA}}}",
        f"User ID: {ADA}.",
        f"PingOne user-id {ADA}",
        f"urn:uuid:{ADA}",
        f"https://api.pingone.eu/v1/environments/{ENVIRONMENT}/users/{ADA}",
        f"https://api.pingone.eu/v1/environments/{ENVIRONMENT}/users/{ADA}/password?x=1#top",
        f"https://console.pingone.eu/?env={ENVIRONMENT}#/users/{ADA}",
        f"https://console.acme.test/o/acme/users/{ADA}/",
        f"https://crm.acme.test/?user={ADA}&tab=1",
        f"https://crm.acme.test/people/{ADA}",
    ],
)
def test_user_id_is_recognized_in_what_people_paste(text):
    assert user_id_in(text) == ADA


@pytest.mark.parametrize(
    "text",
    [
        *("", "mara", "ID:", "https://acme.test/", f"https://acme.test/{ADA}0", f"{ADA} mara", f"mara {ADA}"),
        *(f"{ADA}"[:-1], f"{ADA}0", f"{ADA}-1", f"{ADA}".replace("-", "")),
    ],
)
def test_other_text_is_no_user_id(text):
    assert user_id_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "a@b.test",
        "a@b.test,",
        "a@b.test;",
        "MAILTO:a@b.test",
        "mailto:a%40b.test?subject=Hello",
        "<a@b.test>",
        "<mailto:a@b.test>",
        "Ada Berg <a@b.test>",
        "“a@b.test”",
        "'a@b.test'.",
        "\u200ba@b.test\u00a0",
        "A@B.TEST",
    ],
)
def test_address_is_searched_without_what_is_around_it(text):
    condition = filter_of(Criteria(text=text))

    assert matches(condition, {"email": "a@b.test"})
    assert matches(condition, {"username": "a@b.test"})
    assert not matches(condition, {"email": "b@b.test", "username": "b"})


@pytest.mark.parametrize("name", ["@SUM(1)", "Bob <bob@x.test>", "a@b"])
def test_name_with_an_at_sign_finds_its_user(name):
    assert matches(filter_of(Criteria(text=f"{name} Lind")), {"name": {"given": name, "family": "Lind"}})


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # Persian spells with it
        ("क\u200dष", "क\u200dष"),
        ("ma\u200dra", "mara"),
        ("\u200d", ""),
        ("O’Quill", "O'Quill"),  # noqa: RUF001
        ("“Mara Lind”", "Mara Lind"),
        ("Mara\u00a0Lind", "Mara Lind"),
        ("Zoe\u0308", "Zo\u00eb"),
    ],
)
def test_text_is_cleaned_of_what_copying_adds(text, clean):
    assert cleaned(text) == clean
