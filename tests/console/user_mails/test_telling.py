"""Emails that tell users what happened to their account."""

import json
import re
from dataclasses import replace

import pytest

from console.models import NotMeLink, OutgoingEmail, UserMailSettings
from console.user_mails.events import BY_KEY, DEVICE_REMOVED, EVENTS, PASSWORD_RESET
from console.user_mails.links import link_of
from console.user_mails.tell import tell
from pingone_integration.users import user_of
from tests.support.answers import HOSTILE_NAMES, ada

pytestmark = pytest.mark.django_db


def person(**changes):
    found = user_of(ada(**changes))
    assert found
    return found


def written() -> tuple[str, str, str]:
    """Return recipient, subject and text of the only email."""
    email = OutgoingEmail.objects.get()
    subject, body = json.loads(email.unseal("text"))
    return email.to, subject, body


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.key)
def test_email_says_what_happened_and_has_a_link_at_the_public_url(acme, settings, event):
    settings.PUBLIC_URL = "https://console.acme.test"

    assert tell(acme, event, person()) == 1

    to, subject, body = written()
    assert to == "ada.berg@acme.test"
    assert subject == f"Acme: {event.happened}"
    assert "ada.berg" in body
    [token] = re.findall(r"https://console\.acme\.test/not-me/([\w-]+)/\n", body)
    link = link_of(token)
    assert link
    assert (link.user_id, link.event, BY_KEY[link.event]) == (person().id, event.key, event)
    assert token not in json.dumps(list(NotMeLink.objects.values()), default=str)


def test_every_address_gets_an_email_and_a_link_of_its_own(acme):
    assert tell(acme, PASSWORD_RESET, person(), addresses=["old@acme.test", "OLD@acme.test", "new@acme.test"]) == 2

    assert {email.to for email in OutgoingEmail.objects.all()} == {"OLD@acme.test", "new@acme.test"}
    assert NotMeLink.objects.count() == 2


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "ada@acme.test\nBcc: all@acme.test",
        "ada@acme.test\r\n\r\nHello",
        "ada@acme.test,thief@mail.test",
        "ada@acme.test; thief@mail.test",
        "ada@acme.test thief@mail.test",
        '"a\nb"@acme.test',
        '"a, thief@mail.test"@acme.test',
        "Ada <thief@mail.test>",
        "ada\u202e@acme.test",
        "ada\x00@acme.test",
        f"{'a' * 250}@acme.test",
    ],
)
def test_what_is_not_one_address_gets_no_email(acme, address):
    assert tell(acme, PASSWORD_RESET, person(email=address)) == 0
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize(
    "name", [*HOSTILE_NAMES.values(), "http://evil.test/", "www.evil.test", "a\r\nBcc: b@evil.test"]
)
def test_hostile_name_gives_no_header_no_line_and_no_address_to_open(acme, name):
    acme.name = acme.name + "\r\nBcc: c@evil.test"

    tell(acme, PASSWORD_RESET, replace(person(), username=name))

    _, subject, body = written()
    assert subject == f"Acme Bcc: c@evil.test: {PASSWORD_RESET.happened}"
    assert len(body.splitlines()) < 14
    assert body.count("://") == 1
    assert "www." not in body


def test_event_that_the_organization_does_not_tell_gets_no_email(acme, globex):
    UserMailSettings.objects.create(organization=acme, untold=[DEVICE_REMOVED.key])

    assert tell(acme, DEVICE_REMOVED, person()) == 0
    assert tell(acme, PASSWORD_RESET, person()) == 1
    assert tell(globex, DEVICE_REMOVED, person()) == 1
