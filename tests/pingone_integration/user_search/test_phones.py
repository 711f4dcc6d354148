"""Phone numbers: found however they are typed and however PingOne holds them."""

import pytest

from pingone_integration.user_search import Criteria, Search, search_of
from tests.support.user_filters import matches

SWEDEN = ("SE",)


def search(text: str, countries: tuple[str, ...] = ()) -> Search:
    return search_of(Criteria(text=text, countries=countries))


def finds(text: str, stored: str, countries: tuple[str, ...] = (), attribute: str = "mobilePhone") -> bool:
    return matches(search(text, countries).scim, {"username": "zz", attribute: stored})


SPELLINGS = (
    *("+46.709876541", "+46709876541", "+46 709876541", "+46 70 987 65 41", "0046709876541", "46709876541"),
    *("0709876541", "070-987 65 41", "+46.709876541;ext=12", "+46709876541x12"),
)


@pytest.mark.parametrize(
    "typed",
    [
        *("070-987 65 41", "0709876541", "070 987 65 41", "+46 70 987 65 41", "+46 (0)70-987 65 41", "+46.709876541"),
        *("0046 70 987 65 41", "tel:+46-70-987-65-41", "TEL:+46%2070%20987%206541", "tel:0709876541;phone-context=+46"),
        *("+46 70 987 65 41 ext. 12", "070-987 65 41 x12", "+46709876541,,12", "Tel. 070-987 65 41"),
        *("+46\xa070\u2011987\u200b65 41", "\u202a+46709876541\u202c", "+\u0664\u0666\u0667\u0660\u0669876541"),
    ],
)
def test_number_is_found_in_each_spelling(typed):
    condition = search(typed, SWEDEN).scim
    for stored in SPELLINGS:
        assert matches(condition, {"mobilePhone": stored}), stored
        assert matches(condition, {"primaryPhone": stored}), stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+1 (555) 010-0199", "+1.5550100199"),
        ("0046 70 123 45 67", "+46.701234567"),
        ("+358 40 1234567", "+358.401234567"),
        ("+44 (0)20 7946 0000", "+44.2079460000"),
        ("+39 06 1234567", "+39.061234567"),
        ("46709876541", "+46.709876541"),
    ],
)
def test_international_number_needs_no_country(typed, stored):
    assert finds(typed, stored)
    assert not search(typed).needs_country_code or typed.isdigit()


@pytest.mark.parametrize(
    ("typed", "country", "stored"),
    [
        ("020 7946 0000", "GB", "+44.2079460000"),
        ("(617) 555-0100", "US", "+1.6175550100"),
        ("06 1234567", "IT", "+39.061234567"),
        ("8 (812) 123-45-67", "RU", "+7.8121234567"),
        ("030 1234567", "DE", "+49.301234567"),
    ],
)
def test_national_number_is_found_with_its_country(typed, country, stored):
    assert finds(typed, stored, (country,))
    assert not finds(typed, stored)
    assert finds(typed, stored, ("SE", "NO", "DK", "FI", "FR", "ES", country))


def test_national_number_without_a_country_says_so():
    assert search("070-987 65 41").needs_country_code
    assert not search("070-987 65 41", SWEDEN).needs_country_code
    assert not search("100045").needs_country_code  # an employee's number rather


@pytest.mark.parametrize("typed", ["+46709876541", "+46 709876541", "0709876541", "+46.709876541"])
def test_every_digit_more_keeps_the_user(typed):
    for end in range(6, len(typed) + 1):
        assert finds(typed[:end], "+46.709876541", SWEDEN), typed[:end]


def test_digits_may_be_a_username_or_an_identifier():
    for attribute in ("username", "accountId", "externalId", "nickname"):
        assert matches(search("100045").scim, {"username": "zz"} | {attribute: "100045-a"})


@pytest.mark.parametrize("text", ["1234", "12-34", "Mara", "+", "tel:", "+46", "ext 12345"])
def test_few_digits_are_no_phone_number(text):
    assert "mobilePhone" not in search(text).scim


def test_many_countries_leave_room_for_the_number():
    found = search("070-987 65 41", ("US", "GB", "DE", "FR", "NO", "DK", "FI", "ES", "IT", "SE"))

    assert matches(found.scim, {"mobilePhone": "+46.709876541"})
    assert not found.shortened_to
