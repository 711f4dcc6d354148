"""Where an open session is not enough: what the operator has to sign in again for, unless they just did."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from console import kept_forms

FRESH_FOR = timedelta(minutes=5)  # a sign-in; as long as for a page of the operator's own account


def _sent(request: HttpRequest) -> bool:
    return request.method == "POST"


def _always(request: HttpRequest) -> bool:
    return True


def _saves(request: HttpRequest) -> bool:
    return request.method == "POST" and "find" not in request.POST


def _saves_a_plan(request: HttpRequest) -> bool:
    """Return whether the editor stores something. Its other buttons only change what the page shows."""
    return _sent(request) and request.POST.get("do", "").partition("-")[0] not in EDITS_OF_A_PLAN


EDITS_OF_A_PLAN = frozenset({"add", "up", "down", "remove", "field", "drop", "find", "check"})  # buttons of its editor


def _starts_a_job(request: HttpRequest) -> bool:
    return request.POST.get("do") == "start"


def _approves(request: HttpRequest) -> bool:
    return request.POST.get("do") == "approve"


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """What a URL demands a fresh sign-in for."""

    when: Callable[[HttpRequest], bool] = _sent
    back: str = ""  # the name of the page to return to; "": the same address, with what was typed
    keeps: frozenset[str] = frozenset()  # fields of a form on the page `back` that are shown there again; no secret


_APPLICATION = frozenset({"client_id", "auth_url", "environment_id", "client_authentication"})  # all but its secret
_WITH_MORE = frozenset(
    {"role", "member", "group", "job", "rule", "plan"}
)  # pages whose address has more than the organization

DEMANDED: dict[str, Fresh] = {  # by the name of the URL; tests/console/access/test_fresh_sign_in.py has the others
    "connection": Fresh(back="connection", keeps=_APPLICATION),
    "connect": Fresh(back="connection", keeps=_APPLICATION),
    "disconnect": Fresh(),
    "correct-auth-url": Fresh(back="troubleshooting"),
    "environments": Fresh(),
    "copy-role": Fresh(back="policies"),
    "role": Fresh(),
    "rename-role": Fresh(back="role"),
    "delete-role": Fresh(back="role"),
    "ticket-policies": Fresh(),
    "limits": Fresh(),
    "lift-limit": Fresh(back="limits"),
    "user-mails": Fresh(),
    "approval-rules": Fresh(),
    "second-factor-policy": Fresh(back="policies"),
    "directory": Fresh(),
    "mapped-groups": Fresh(),
    "single-sign-on-link": Fresh(back="single-sign-on-link"),
    "new-template": Fresh(),
    "template": Fresh(),
    "delete-template": Fresh(back="templates"),
    "crawls": Fresh(back="crawls"),
    "new-rule": Fresh(when=_saves),
    "edit-rule": Fresh(when=_saves),
    "rule": Fresh(back="rule"),
    "new-plan": Fresh(when=_saves_a_plan),
    "edit-plan": Fresh(when=_saves_a_plan),
    "delete-plan": Fresh(back="plan"),
    "lock-down": Fresh(),
    "recovery-settings": Fresh(),
    "recovery-rules": Fresh(),
    "members": Fresh(),
    "change-role": Fresh(back="members"),
    "member-populations": Fresh(back="member"),
    "remove-member": Fresh(),
    "send-invitation-again": Fresh(back="members"),
    "withdraw-invitation": Fresh(back="members"),
    "suspend-member": Fresh(back="member"),
    "reactivate-member": Fresh(back="member"),
    "end-member-sessions": Fresh(back="member"),
    "reset-second-factor": Fresh(back="member"),
    "cancel-factor-reset": Fresh(back="member"),
    "protect-user": Fresh(),
    "protect-group": Fresh(),
    "audit-export": Fresh(when=_always, back="audit"),
    "export-group-members": Fresh(when=_always, back="group"),
    "inactive-export": Fresh(when=_always, back="inactive"),
    "job-file": Fresh(when=_always, back="job"),
    "job": Fresh(when=_starts_a_job),
    "approval": Fresh(when=_approves),
    "usersessions_list": Fresh(),
}
# Pages whose forms demand it say so before anything is typed. An export and a job ask when they are started.
_FORMS = {one.back or name for name, one in DEMANDED.items() if one.when in {_sent, _saves_a_plan}} - {
    "troubleshooting"
}


def signed_in_at(request: HttpRequest) -> datetime | None:
    """Return when the operator last proved in this browser session who they are: at sign-in, or again since then."""
    proofs = get_authentication_records(request, request.user)
    return max((datetime.fromtimestamp(proof["at"], UTC) for proof in proofs), default=None)


def is_fresh(request: HttpRequest) -> bool:
    at = signed_in_at(request)
    return at is not None and timezone.now() - at < FRESH_FOR


def address_to_sign_in_again(operator: AbstractBaseUser) -> str:
    """Return the page where the operator signs in again, by the first of their own ways."""
    ways = get_adapter().get_reauthentication_methods(operator)
    return str(ways[0]["url"]) if ways else reverse("account_reauthenticate")


def address_with_return(request: HttpRequest, back_to: str) -> str:
    return f"{address_to_sign_in_again(request.user)}?{urlencode({'next': back_to})}"  # type: ignore[arg-type]


def demanded_first(request: HttpRequest) -> str:
    """Return where the operator has to sign in again before this request is answered, or "". What it sent is kept."""
    match = request.resolver_match
    rule = DEMANDED.get(match.url_name or "") if match else None
    if match is None or rule is None or not rule.when(request) or is_fresh(request):
        return ""
    page = _page(rule, request, match.kwargs)
    if _sent(request) and (rule.keeps or not rule.back):
        kept_forms.keep(request, rule.keeps or request.POST, page=page)
    return address_with_return(request, page)


def told_beforehand(request: HttpRequest) -> str:
    """Return where to sign in again, for a page with forms that would demand it if they were sent now; else ""."""
    match = request.resolver_match
    if match is None or match.url_name not in _FORMS or not request.user.is_authenticated or is_fresh(request):
        return ""
    return address_with_return(request, request.path)


def _page(rule: Fresh, request: HttpRequest, values: dict[str, Any]) -> str:
    if not rule.back:
        return request.path
    kept = values if rule.back in _WITH_MORE or "org" not in values else {"org": values["org"]}
    return reverse(rule.back, kwargs=kept)
