"""The limits, and what counts towards each: the same for an action of the catalogue and for a request with Call API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, cast

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.catalogue import BY_KEY
from console.audit.api_requests import ACTION as CALL_API
from pingone_integration.calls.api import READS
from pingone_integration.texts import Text

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Scope(StrEnum):
    """Whose actions are counted together."""

    USER = "user"  # those on one user, by whoever did them
    OPERATOR = "operator"
    ORGANIZATION = "organization"


class Kind(StrEnum):
    """A kind of action that a limit counts."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105 - not a password
    RISKY = "risky"
    DELETION = "deletion"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How much of a kind may happen within `window`.

    Without a kind it is counted elsewhere: see reading.py, brake.py and console/jobs/limits.py.
    """

    key: str  # in the database and the audit log: never renamed
    label: Text  # on the page of limits
    words: Text  # with {most}
    scope: Scope
    window: timedelta
    most: int  # the default
    kind: Kind | None = None  # None: it is counted elsewhere

    def told(self, most: int) -> Text:
        return format_lazy(cast("str", self.words), most=most)


LIMITS = (
    Limit(
        key="codes",
        label=_("Recovery codes and verification emails to one user in an hour"),
        words=_("Codes sent to one user in an hour: at most {most}."),
        scope=Scope.USER,
        window=HOUR,
        most=5,
        kind=Kind.CODE,
    ),
    Limit(
        key="passwords",
        label=_("Temporary passwords for one user in an hour"),
        words=_("Temporary passwords set for one user in an hour: at most {most}."),
        scope=Scope.USER,
        window=HOUR,
        most=3,
        kind=Kind.PASSWORD,
    ),
    Limit(
        key="risky",
        label=_("Risky actions by one operator in an hour"),
        words=_("Risky actions by one operator in an hour: at most {most}."),
        scope=Scope.OPERATOR,
        window=HOUR,
        most=30,
        kind=Kind.RISKY,
    ),
    Limit(
        key="deletions",
        label=_("Deletions in the organization in a day"),
        words=_("Deletions in this organization in a day: at most {most}."),
        scope=Scope.ORGANIZATION,
        window=DAY,
        most=10,
        kind=Kind.DELETION,
    ),
    Limit(
        key="people",
        label=_("People one operator looks at in an hour, before org admins get an alarm"),
        words=_("People whose pages one operator looked at in an hour: more than {most}."),
        scope=Scope.OPERATOR,
        window=HOUR,
        most=100,
    ),
    Limit(
        key="job-rows.org_admin",
        label=_("Rows of one job of an org admin"),
        words=_("Rows of one job of an org admin: at most {most}."),
        scope=Scope.OPERATOR,
        window=DAY,
        most=100_000,
    ),
    Limit(
        key="job-rows",
        label=_("Rows of one job of other roles that may run jobs"),
        words=_("Rows of one job: at most {most}."),
        scope=Scope.OPERATOR,
        window=DAY,
        most=1_000,
    ),
    Limit(
        key="job-day.org_admin",
        label=_("Rows of all jobs of one org admin in a day"),
        words=_("Rows of all jobs of one org admin in a day: at most {most}."),
        scope=Scope.OPERATOR,
        window=DAY,
        most=100_000,
    ),
    Limit(
        key="job-day",
        label=_("Rows of all jobs of one operator with another role in a day"),
        words=_("Rows of all jobs of one operator in a day: at most {most}."),
        scope=Scope.OPERATOR,
        window=DAY,
        most=2_000,
    ),
    Limit(
        key="brake-people",
        label=_("Brake on mass change: people in the organization in a day"),
        words=_("People deactivated, deleted, moved or removed from groups in a day: at most {most}."),
        scope=Scope.ORGANIZATION,
        window=DAY,
        most=50,
    ),
    Limit(
        key="brake-percent",
        label=_("Brake on mass change: percent of a population in a day"),
        words=_("Percent of a population deactivated, deleted, moved or removed from groups in a day: at most {most}."),
        scope=Scope.ORGANIZATION,
        window=DAY,
        most=5,
    ),
    Limit(
        key="brake-least",
        label=_("Brake on mass change: smallest number of people for the percentage to count"),
        words=_("People of a population deactivated, deleted, moved or removed from groups in a day: at most {most}."),
        scope=Scope.ORGANIZATION,
        window=DAY,
        most=10,
    ),
)
BY_LIMIT = {limit.key: limit for limit in LIMITS}
PEOPLE = BY_LIMIT["people"]
BRAKE_PEOPLE, BRAKE_PERCENT, BRAKE_LEAST = (BY_LIMIT[f"brake-{one}"] for one in ("people", "percent", "least"))
# By the built-in role of an operator, "" for all others
ROWS_OF_A_JOB = {"org_admin": BY_LIMIT["job-rows.org_admin"], "": BY_LIMIT["job-rows"]}
ROWS_OF_A_DAY = {"org_admin": BY_LIMIT["job-day.org_admin"], "": BY_LIMIT["job-day"]}

_ACTIONS = {
    "password.send-recovery-code": Kind.CODE,
    "user.verify-email": Kind.CODE,
    "password.set-temporary": Kind.PASSWORD,
    "user.delete": Kind.DELETION,
}
_CODES = re.compile(r"sendRecoveryCode|sendVerificationCode|emailVerification\.send", re.IGNORECASE)
_NEW_PASSWORDS = re.compile(r"password\.(?:set|setValue|reset|recover)\b", re.IGNORECASE)
_DELETED = re.compile(r"/(?:users|groups|populations)/[^/]+/?", re.IGNORECASE)
_PASSWORD = re.compile(r"/users/[^/]+/password/?", re.IGNORECASE)
_USER = re.compile(r"/users/([^/]+)", re.IGNORECASE)


def kinds_of(action: str, inputs: Mapping[str, Any]) -> frozenset[Kind]:
    """Return what an action, or a request with Call API, counts as. `inputs` are those on record."""
    if action == CALL_API:
        return _kinds_of_request(
            str(inputs.get("method", "")), str(inputs.get("path", "")), str(inputs.get("media_type", ""))
        )
    known = BY_KEY.get(action)
    kinds = {_ACTIONS[action]} if action in _ACTIONS else set()
    return frozenset(kinds | ({Kind.RISKY} if known and known.is_risky else set()))


def _kinds_of_request(method: str, path: str, media_type: str) -> frozenset[Kind]:
    if method in READS:
        return frozenset()
    kinds = {Kind.RISKY}  # every write: the console cannot know its effect
    if _CODES.search(media_type):
        kinds.add(Kind.CODE)
    if _NEW_PASSWORDS.search(media_type) or (method == "PUT" and _PASSWORD.fullmatch(path)):
        kinds.add(Kind.PASSWORD)
    if method == "DELETE" and _DELETED.fullmatch(path):
        kinds.add(Kind.DELETION)
    return frozenset(kinds)


def actions_of(kind: Kind) -> list[str]:
    """Return the keys of the catalogue's actions of this kind, and of Call API."""
    return [CALL_API, *(key for key in BY_KEY if kind in kinds_of(key, {}))]


def user_of(action: str, inputs: Mapping[str, Any], subject_id: str) -> str:
    """Return the ID of the user whom an action or a request is about, or "" if there is none."""
    if action != CALL_API:
        return subject_id
    found = _USER.match(str(inputs.get("path", "")))
    return found[1].lower() if found else ""
