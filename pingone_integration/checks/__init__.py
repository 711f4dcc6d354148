"""The checks of a connection, in order from its settings to a working call."""

import time
from collections.abc import Collection, Iterator

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.calls import breaker, concurrency, failed_calls
from pingone_integration.checks import grant, network, rights
from pingone_integration.checks.model import Check, Finding, Result, State, Subject, finding_of
from pingone_integration.errors import PingOneError

__all__ = ["BY_KEY", "CHECKS", "Check", "Finding", "Result", "State", "Subject", "finding_of", "run", "run_all"]

_WORKS = ("refresh", "api", "managed-environment")

CHECKS = (
    Check(key="auth-url", title=_("The Auth URL is valid"), run=network.auth_url),
    Check(key="api-url", title=_("The API URL is known"), run=network.api_url, needs=("auth-url",)),
    Check(key="host-name", title=_("DNS resolves the host names"), run=network.host_name, needs=("auth-url",)),
    Check(key="tls", title=_("The connection is encrypted and trusted"), run=network.tls, needs=("host-name",)),
    Check(key="discovery", title=_("The discovery document is valid"), run=network.discovery, needs=("tls",)),
    Check(key="environment", title=_("PingOne knows the Environment ID"), run=network.environment, needs=("tls",)),
    Check(
        key="credentials",
        title=_("Client ID and secret are accepted"),
        run=grant.credentials,
        needs=("discovery", "environment"),
    ),
    Check(key="tokens", title=_("Tokens are stored"), run=grant.tokens),
    Check(
        key="refresh",
        title=_("The access token can be renewed"),
        run=grant.refresh,
        needs=("credentials", "tokens"),
        renews=True,
    ),
    Check(key="clock", title=_("The clocks agree"), run=network.clock, needs=("tls",)),
    Check(key="api", title=_("The API responds"), run=network.api, needs=("tls",)),
    Check(
        key="managed-environment",
        title=_("The managed environment can be read"),
        run=rights.managed_environment,
        needs=("refresh", "api"),
    ),
    Check(
        key="read-users",
        title=_("Users can be read"),
        run=rights.reads("/users", "dir:read:user", rights.READERS),
        needs=_WORKS,
    ),
    Check(
        key="read-populations",
        title=_("Populations can be read"),
        run=rights.reads("/populations", "dir:read:population", rights.READERS),
        needs=_WORKS,
    ),
    Check(
        key="read-groups",
        title=_("Groups can be read"),
        run=rights.reads("/groups", "dir:read:group", rights.READERS),
        needs=_WORKS,
    ),
    Check(
        key="read-environments",
        title=_("Environments can be listed"),
        run=rights.environments_read,
        needs=("refresh", "api"),
    ),
    Check(
        key="change-users",
        title=_("Users can be changed"),
        run=rights.judged("dir:create:user", "dir:update:user"),
        needs=_WORKS,
    ),
    Check(
        key="change-groups",
        title=_("Group memberships can be changed"),
        run=rights.judged("dir:create:groupMembership", "dir:delete:groupMembership"),
        needs=_WORKS,
    ),
    Check(
        key="manage-passwords",
        title=_("Passwords can be managed"),
        run=rights.judged("dir:set:userPassword", "dir:recover:userPassword", "dir:forceChange:userPassword"),
        needs=_WORKS,
    ),
    Check(key="rate-limits", title=_("The rate limit has headroom"), run=rights.rate_limits, needs=_WORKS),
    Check(
        key="refresh-token",
        title=_("PingOne keeps accepting the refresh token's format"),
        run=grant.refresh_token,
        needs=("tokens",),
    ),
    Check(key="sign-on-due", title=_("No new approval is due soon"), run=grant.sign_on_due, needs=("tokens",)),
)
BY_KEY = {check.key: check for check in CHECKS}


def run(check: Check, subject: Subject, *, failed: Collection[str] = ()) -> Result:
    """Run a check. It is skipped if it needs a check in `failed` (keys of failed or skipped checks)."""
    in_the_way = next((key for key in check.needs if key in failed), None)
    if in_the_way:
        text = format_lazy(_("This check needs “{title}” to pass first."), title=BY_KEY[in_the_way].title)
        return Result(check=check, finding=Finding(state=State.SKIPPED, text=text), seconds=0)
    subject.connection.refresh_from_db()
    started = time.monotonic()
    try:
        # Checks run during a pause, to find its cause, and report their failures instead of counting them.
        with concurrency.slot(subject.connection.pk), breaker.even_while_paused(), failed_calls.not_counted():
            finding = check.run(subject)
    except PingOneError as error:
        finding = finding_of(error)
    subject.found[check.key] = finding
    return Result(check=check, finding=finding, seconds=time.monotonic() - started)


def run_all(subject: Subject, *, within_s: float | None = None) -> Iterator[Result]:
    """Yield each result as soon as it is there. A failure skips only the checks that need the failed check.

    After `within_s` seconds, no further check begins.
    """
    failed: set[str] = set()
    started = time.monotonic()
    for check in CHECKS:
        if within_s is not None and time.monotonic() - started > within_s:
            result = _out_of_time(check)
        else:
            result = run(check, subject, failed=failed)
        if result.blocks:
            failed.add(check.key)
        yield result


def _out_of_time(check: Check) -> Result:
    text = _("The earlier checks took too long.")
    finding = Finding(state=State.SKIPPED, text=text, advice=_("Run this check on its own."))
    return Result(check=check, finding=finding, seconds=0)
