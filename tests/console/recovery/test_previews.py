"""Org admins look at every page and mail of recovery before they switch it on."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from console.models import NotMeLink, Operator, Organization, OutgoingEmail, RecoveryAttempt, RecoverySettings
from console.recovery.previews import MAILS, NOT_ME_PAGES, PAGES
from console.user_mails.events import EVENTS

pytestmark = pytest.mark.django_db

PREVIEWS = "/o/acme/settings/recovery/previews/"
TEMPLATES = Path(settings.BASE_DIR, "templates", "console", "recovery")
PARTS = {"not_sent", "other_ways", "rules", "page", "locks", "problems", "restart"}


def test_every_page_and_mail_has_a_preview() -> None:
    assert {path.stem for path in TEMPLATES.glob("*.html")} - PARTS == {page.template for page in PAGES}
    assert {path.stem for path in (TEMPLATES / "mails").glob("*.txt")} == {mail.key for mail in MAILS}


@pytest.mark.parametrize(("language", "words"), [("de", "Konto wiederherstellen"), ("fr", "Récupérer votre compte")])
def test_preview_is_what_users_see_and_does_nothing(
    browser_of: Callable[[Operator], Client], org_admin: Operator, acme: Organization, language: str, words: str
) -> None:
    RecoverySettings.objects.create(organization=acme, helpdesk_phone="+46 8 123")
    client = browser_of(org_admin)

    for page in PAGES:
        shown = client.get(f"{PREVIEWS}{page.key}/", {"language": language}).content.decode()
        assert f'<html lang="{language}"' in shown
        assert words in shown
        assert "+46 8 123" in shown
        assert 'class="entrance-card card" inert>' in shown
        assert "This is a preview." in shown
    overview = client.get(PREVIEWS, {"language": language}).content.decode()

    assert '<html lang="en"' in overview
    assert overview.count("<pre") == len(MAILS) + len(EVENTS) - 1  # the code's mail tells of its event
    assert overview.count('<pre class="answer">') == overview.count("<pre")  # whose lines stay lines
    assert len(re.findall(rf'<a href="[^"]+/\?language={language}">', overview)) == len(PAGES) + len(NOT_ME_PAGES)
    assert re.search(rf'lang="{language}"\s+aria-current="page"', overview)
    assert client.get(f"{PREVIEWS}nothing/").status_code == 404
    assert client.get(PREVIEWS, {"language": "../../x"}).status_code == 200
    assert not RecoveryAttempt.objects.exists()
    assert not OutgoingEmail.objects.exists()


@pytest.mark.parametrize(
    ("language", "words", "month"), [("de", "Das war ich nicht", "Dez"), ("fr", "était pas moi", "Déc")]
)
def test_page_behind_not_me_has_previews_with_times_in_the_language(
    browser_of: Callable[[Operator], Client],
    org_admin: Operator,
    acme: Organization,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    words: str,
    month: str,
) -> None:
    moment = datetime(2026, 12, 18, 10, 0, 31, tzinfo=UTC)
    monkeypatch.setattr("console.recovery.previews.timezone.now", lambda: moment)
    client = browser_of(org_admin)
    shown = {
        page.key: client.get(f"{PREVIEWS}{page.key}/", {"language": language}).content.decode() for page in NOT_ME_PAGES
    }

    assert words in shown["not-me"]
    assert f"18 {month} 2026, " in shown["not-me"]
    assert all('class="entrance-card card" inert>' in page for page in shown.values())
    assert not NotMeLink.objects.exists()
