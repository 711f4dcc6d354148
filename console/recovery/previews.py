"""Every page and mail of recovery with an invented user, for org admins who decide whether to switch it on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models import NotMeLink, NotMeReport, Organization, RecoveryAttempt
from console.models.user_mails import LOCK_DAYS
from console.recovery import mails, operations
from console.recovery.attempts import CODE_LASTS
from console.recovery.devices import Choice, label_of
from console.recovery.forms import AnswerForm, CodeForm, DeviceCodeForm, PasswordForm, WhoForm
from console.recovery.policy import settings_of
from console.recovery.steps import DONE, LEFT, Account
from console.user_mails.events import CODE_SENT, EVENTS, PASSWORD_RESET, Event
from console.user_mails.tell import text_of as event_text_of
from pingone_integration.password_rules import rules_of
from pingone_integration.passwords import PasswordState
from pingone_integration.texts import Text
from pingone_integration.users import User, user_of

USERNAME = "ada.berg"


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of recovery: its template, and what only it shows."""

    key: str
    label: Text
    template: str
    context: Callable[[], dict[str, Any]] = dict
    has_reference: bool = True


@dataclass(frozen=True, kw_only=True)
class NotMePage:
    """The page behind "this was not me", for one event and what became of the report."""

    key: str
    label: Text
    event: Event
    report: Callable[[], NotMeReport | None]


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail of recovery."""

    key: str
    label: Text
    subject: Text
    context: Callable[[], dict[str, Any]]


def _account() -> dict[str, Any]:
    rules = rules_of({"length": {"min": 8, "max": 255}, "minUniqueCharacters": 5})
    password = PasswordState(
        status="PASSWORD_LOCKED_OUT",
        last_changed_at=None,
        seconds_until_unlock=None,
        unlock_at=None,
        policy_name="",
        rules=rules,
    )
    return {"account": Account(user=_user(), password=password, lifts_account_lock=False)}


def _devices() -> list[Choice]:
    message = Choice(id=UUID(int=2), label=label_of("SMS", "+46 70 123 45 67"), nickname="", makes_codes=False)
    return [message, Choice(id=UUID(int=3), label=label_of("TOTP", ""), nickname="", makes_codes=True)]


def _user() -> User:
    found = user_of(
        {"id": str(UUID(int=1)), "username": USERNAME, "account": {"status": "OK", "canAuthenticate": True}}
    )
    if found is None:
        raise TypeError("the invented user has an ID")
    return found


PAGES = (
    Page(
        key="who",
        label=_("Who are you?"),
        template="who",
        context=lambda: {"form": WhoForm()},
        has_reference=False,
    ),
    Page(
        key="code",
        label=_("The code"),
        template="code",
        context=lambda: {"form": CodeForm(), "may_ask_again": True, "worker_runs": True},
    ),
    Page(key="code-over", label=_("The code is over"), template="code", context=lambda: {"is_over": True}),
    Page(
        key="answer",
        label=_("PingOne's code and a new password"),
        template="answer",
        context=lambda: {"form": AnswerForm(), "may_ask_again": True, "worker_runs": True},
    ),
    Page(key="trying", label=_("PingOne tries the code"), template="trying", context=lambda: {"worker_runs": True}),
    Page(key="device", label=_("A device in addition"), template="device", context=lambda: {"devices": _devices()}),
    Page(
        key="device-code",
        label=_("The code of a device"),
        template="device_code",
        context=lambda: {"form": DeviceCodeForm(), "device": _devices()[0]},
    ),
    Page(key="no-device", label=_("No device that can be used"), template="no_device"),
    Page(key="choice", label=_("Unlock only, or a new password"), template="choice", context=_account),
    Page(
        key="password",
        label=_("A new password"),
        template="password",
        context=lambda: _account() | {"form": PasswordForm()},
    ),
    Page(
        key="done",
        label=_("Done"),
        template="done",
        context=lambda: {"done": [DONE[operations.SET_PASSWORD.key], DONE["password.unlock"]]},
    ),
    Page(
        key="partly-done",
        label=_("Partly done"),
        template="done",
        context=lambda: {"done": [DONE["password.unlock"]], "left": [LEFT["user.unlock"]]},
    ),
    Page(key="over", label=_("This recovery is over"), template="over"),
    Page(key="unreachable", label=_("Not possible at the moment"), template="unreachable"),
    Page(key="too-many", label=_("Too many attempts"), template="too_many", has_reference=False),
)
MAILS = (
    Mail(
        key="code",
        label=_("The code"),
        subject=mails.CODE_SUBJECT,
        context=lambda: {
            "code": "K7MP-42QX",
            "minutes": int(CODE_LASTS.total_seconds() // 60),
            "username": USERNAME,
            "not_me_url": settings.PUBLIC_URL + reverse("not-me", args=["example"]),
        },
    ),
    Mail(
        key="usernames",
        label=_("Several users have the address"),
        subject=mails.USERNAMES_SUBJECT,
        context=lambda: {"usernames": [USERNAME, f"{USERNAME}.admin"]},
    ),
    Mail(
        key="elsewhere",
        label=_("The password is kept by another provider"),
        subject=mails.ELSEWHERE_SUBJECT,
        context=lambda: {"username": USERNAME, "provider": "SAML"},
    ),
)
NOT_ME_PAGES = (
    NotMePage(key="not-me", label=_("This was not me"), event=PASSWORD_RESET, report=lambda: None),
    NotMePage(key="not-me-code", label=_("This was not me: a code"), event=CODE_SENT, report=lambda: None),
    NotMePage(
        key="not-me-locked",
        label=_("This was not me: account locked"),
        event=PASSWORD_RESET,
        report=lambda: NotMeReport(locks_until=timezone.now() + timedelta(days=LOCK_DAYS)),
    ),
)
NOT_ME_BY_KEY = {page.key: page for page in NOT_ME_PAGES}
PAGES_BY_KEY = {page.key: page for page in PAGES}


def context_of(page: Page, organization: Organization) -> dict[str, Any]:
    """Return what the page's template shows, about an invented user."""
    shared = {"organization": organization, "ours": settings_of(organization)}
    if page.has_reference:
        shared["attempt"] = example_attempt(organization)
    return shared | page.context()


def context_of_not_me(page: NotMePage, organization: Organization) -> dict[str, Any]:
    return {
        "link": NotMeLink(organization=organization, event=page.event.key, username=USERNAME, at=timezone.now()),
        "event": page.event,
        "report": page.report(),
        "lock_days": LOCK_DAYS,
        "helpdesk": settings_of(organization),
    }


def event_mails(organization: Organization, language: str) -> list[tuple[Text, str, str]]:
    """Return what is told of each event: its name, the subject and the body."""
    url = settings.PUBLIC_URL + reverse("not-me", args=["example"])
    told = [event for event in EVENTS if event is not CODE_SENT]  # its mail is that with the code
    return [(event.label, *event_text_of(organization, event, USERNAME, url, language)) for event in told]


def text_of(mail: Mail, organization: Organization, language: str) -> tuple[str, str]:
    """Return the subject and the body of a mail."""
    attempt = example_attempt(organization, language)
    return mails.text_of(attempt, mail.subject, mail.key, **mail.context())


def example_attempt(organization: Organization, language: str = "") -> RecoveryAttempt:
    """Return an attempt that is not stored."""
    return RecoveryAttempt(
        organization=organization,
        reference="K7MP-42QX",
        asked_at=timezone.now(),
        started_at=timezone.now(),
        source_address="198.51.100.7",
        browser="Firefox on Windows",
        language=language,
    )
