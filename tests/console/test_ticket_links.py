"""Links to tickets: wherever a ticket is shown, and whatever it says, never to another place."""

import re
from collections.abc import Callable
from html import unescape
from types import SimpleNamespace
from urllib.parse import unquote, urljoin, urlsplit
from uuid import uuid4

import pytest
import respx
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from console.access import Actor
from console.audit import entries
from console.models import AuditEntry, Operator, Organization
from console.models.ticket_links import ticket_url, validate_ticket_link
from tests.support.answers import ADA, ada

BrowserOf = Callable[[Operator], Client]

LINK = "https://jira.acme.test/browse/{ticket}"
HOSTILE = (
    *("../../admin", "..", ".", "%2e%2e", "a/b", "a?b=c#d", '"><script>alert(1)</script>', "javascript:alert(1)"),
    *("//evil.test", "@evil.test", "{ticket}", "\u202eINC", "a b", "\ud800", "\r\nX: y", "\\..\\..", "😀"),
)


def rendered(template: str, ticket: str) -> str:
    org = SimpleNamespace(ticket_link=template)
    return Template("{% ticket_link ticket %}").render(Context({"org": org, "ticket": ticket}))


def test_ticket_leads_to_the_ticket_system() -> None:
    html = rendered(LINK, "INC-7")

    assert 'href="https://jira.acme.test/browse/INC-7"' in html
    assert 'rel="noopener noreferrer"' in html
    assert 'aria-label="Open ticket INC-7 in a new tab"' in html


@pytest.mark.parametrize(
    "template", ["", "http://a.test/{ticket}", "javascript:{ticket}", "https://{ticket}", "x{ticket}"]
)
def test_template_that_is_no_safe_link_makes_none(template: str) -> None:
    assert rendered(template, "INC-7") == ""


@given(
    st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30)),
    st.sampled_from(
        [LINK, "https://x.test/?id={ticket}&v=1", "https://x.test/#/t/{ticket}", "https://x.test/.{ticket}/"]
    ),
)
@example("..", LINK)
@example(".", "https://x.test/.{ticket}/")
def test_no_ticket_leads_to_another_place(ticket: str, template: str) -> None:
    url = ticket_url(template, ticket)
    html = rendered(template, ticket)

    assert bool(url) == ("href" in html)
    assert html.count("<") == 0 or re.fullmatch(
        r'<a class="ticket-link" href="[^"<>]*"[^<>]*><svg.*</svg></a>', html, re.DOTALL
    )
    if url:
        before, after = template.split("{ticket}")
        middle = url.removeprefix(before).removesuffix(after)
        assert unquote(middle, errors="replace") == ticket.encode(errors="replace").decode()
        assert not set(middle) & set("/?#@:\\&= ")
        path = urlsplit(url).path
        assert urljoin(url, path) == urljoin(url, "/") + path[1:]  # no part of it is resolved away
        assert urlsplit(url).netloc == urlsplit(template).netloc


@given(st.text(max_size=30).map(lambda text: f"https://{text}{{ticket}}"))
def test_template_that_is_accepted_is_an_https_link_to_one_server(template: str) -> None:
    try:
        validate_ticket_link(template)
    except ValidationError:
        return
    first, second = (urlsplit(template.replace("{ticket}", ticket)) for ticket in ("INC1", "evil.test"))
    assert (first.scheme, first.netloc) == ("https", second.netloc)
    assert first.hostname
    assert "@" not in first.netloc


def test_ticket_is_a_link_in_the_audit_log_and_on_the_page_of_the_user(
    browser_of: BrowserOf, helpdesk: Operator, acme: Organization, pingone: respx.MockRouter
) -> None:
    acme.ticket_link = LINK
    acme.save()
    pingone.get(f"/users/{ADA}").respond(json=ada())
    subject = entries.Subject(kind=AuditEntry.Subject.USER, id=ADA, name="Ada")
    row = entries.start(
        acme,
        Actor(kind=AuditEntry.Actor.OPERATOR, operator=helpdesk),
        "user.unlock",
        subject,
        entry=uuid4(),
        circumstances=entries.Circumstances(ticket='INC "7" B'),
        inputs={},
        before=None,
    )
    assert row is not None
    browser = browser_of(helpdesk)
    browser.post("/o/acme/working-on/", {"ticket": 'INC "7" B', "user_id": str(ADA)})

    for page in ("audit/", f"audit/{row.entry}/", f"users/{ADA}/"):
        assert 'href="https://jira.acme.test/browse/INC%20%227%22%20B"' in unescape(
            browser.get(f"/o/acme/{page}").text
        ), page
