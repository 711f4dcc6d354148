"""A user goes through recovery in German or French: every page and every mail, without a word of English in between."""

from html import unescape

import pytest
from django.test import Client

from console.models import Organization
from console.user_mails.events import EVENTS
from console.user_mails.tell import tell
from pingone_integration.users import user_of
from tests.support import catalogs
from tests.support.answers import ada
from tests.support.outbox import sent_emails
from tests.support.recovering import NEW_PASSWORD, PersonAtPages, RecoveryEnvironment

pytestmark = pytest.mark.django_db(transaction=True)

IN_WORDS = {"de": "Konto wiederherstellen", "fr": "Récupérer votre compte"}


def english_in(text: str, locale: str) -> list[str]:
    """Return the English texts for users that are in a page or mail, though they have a translation."""
    shown = " ".join(unescape(text).split())
    known = catalogs.contents(catalogs.committed_po(locale))
    originals = {ids[0]: forms[0] for (_context, ids), forms in known.items() if " " in ids[0]}
    whole = {original for original, translation in originals.items() if original != translation and "%" not in original}
    return sorted(original for original in whole if "{" not in original and original in shown)


@pytest.mark.parametrize("locale", catalogs.TRANSLATED)
def test_every_page_and_mail_is_in_the_readers_language(
    person: PersonAtPages, environment: RecoveryEnvironment, locale: str
) -> None:
    person.client.defaults["HTTP_ACCEPT_LANGUAGE"] = f"{locale}-CH,en;q=0.3"
    pages = [person.see(), person.post("start", who="").content.decode()]
    assert IN_WORDS[locale] in unescape(pages[0])

    person.start()
    pages += [person.see(), person.post("code", code="WRONG").content.decode(), person.post("code").content.decode()]
    person.post("code", code=person.code())
    pages.append(person.see())
    pages.append(person.choose_password("{SSHA}x").content.decode())
    person.choose_password(NEW_PASSWORD)
    pages.append(person.see())
    [mail] = sent_emails()[:1]

    for page in pages:
        assert f'<html lang="{locale}"' in page
        assert english_in(page, locale) == []
    assert english_in(f"{mail.subject} {mail.body}", locale) == []


def test_chosen_language_is_kept_from_page_to_page_and_in_the_mail(
    person: PersonAtPages, environment: RecoveryEnvironment
) -> None:
    person.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    person.post("language", language="fr", next="/recover/acme/")

    person.start()

    assert '<html lang="fr"' in person.see()
    assert english_in(str(sent_emails()[0].body), "fr") == []


def test_mail_about_an_event_is_in_the_users_own_language(acme: Organization) -> None:
    known = user_of(ada(preferredLanguage="de-AT"))
    assert known

    for event in EVENTS:
        tell(acme, event, known)

    for mail in sent_emails():
        assert english_in(f"{mail.subject} {mail.body}", "de") == []
    assert "Ihr Passwort wurde geändert" in sent_emails()[0].subject


@pytest.mark.parametrize("locale", catalogs.TRANSLATED)
def test_what_is_no_page_of_recovery_is_in_the_readers_language_and_names_no_console(
    person: PersonAtPages, globex: Organization, locale: str
) -> None:
    client = Client(enforce_csrf_checks=True, HTTP_ACCEPT_LANGUAGE=locale)
    answers = {
        404: [client.get(f"/recover/{at}") for at in ("nowhere/", "acme/nothing/", "globex/")],
        403: [client.post("/recover/acme/start/", {"who": "ada.berg"})],  # no cookies
        405: [Client(HTTP_ACCEPT_LANGUAGE=locale).put("/recover/acme/code/")],
    }

    for status, pages in answers.items():
        for page in pages:
            text = page.content.decode()
            assert (page.status_code, page["Content-Language"]) == (status, locale)
            assert f'<html lang="{locale}"' in text
            assert english_in(text, locale) == []
            assert "/accounts/" not in text
            assert "Acme" not in text
    nowhere, off = (answers[404][at].content.decode().split("<main")[1] for at in (0, 2))
    assert nowhere.split("</main>")[0] == off.split("</main>")[0]
