"""Checks of the network path to PingOne: addresses, names, certificates, discovery, clocks."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.calls.api import http_client
from pingone_integration.calls.outgoing import certificate_by_proxy, is_here, tls_context, uses_proxy
from pingone_integration.checks.model import (
    Finding,
    Subject,
    cannot_tell,
    failed,
    finding_of,
    in_words,
    passed,
    sentences,
    warning,
)
from pingone_integration.connection.discovery import discover
from pingone_integration.connection.region_search import auth_url_of_environment
from pingone_integration.connection.regions import api_url_for, region_of
from pingone_integration.errors import (
    ConnectionFailure,
    InvalidApiUrl,
    SettingsIncomplete,
    SignOnUnverified,
    Trace,
    Unavailable,
    UnknownEnvironment,
)
from pingone_integration.models import Connection
from pingone_integration.texts import Text

NAME_TIMEOUT_S = 5.0
TLS_TIMEOUT_S = 5.0
EXPIRES_SOON = timedelta(days=14)
SLOW_CLOCK = timedelta(seconds=60)  # ID tokens and lifetimes begin to fail
WRONG_CLOCK = timedelta(minutes=5)


def auth_url(subject: Subject) -> Finding:
    url = subject.connection.auth_url
    if not url:
        return failed(SettingsIncomplete, _("No Auth URL has been entered."))
    region = region_of(url)
    if region is None:
        return passed(format_lazy(_("{url} is a custom host that this server allows."), url=url))
    if _is_custom(url):
        text = _("{url} is a custom host that this server allows. It belongs to the region {region}.")
    else:
        text = _("{url} belongs to the region {region}.")
    return passed(format_lazy(text, url=url, region=region.name))


def api_url(subject: Subject) -> Finding:
    return passed(format_lazy(_("Calls go to {url}."), url=api_url_for(subject.connection.auth_url)))


def host_name(subject: Subject) -> Finding:
    found: list[Text] = []
    for parts in _looked_up(subject.connection):
        addresses = _addresses(parts)
        if not addresses:
            return failed(
                ConnectionFailure,
                format_lazy(_("This server's DNS cannot resolve {host}."), host=parts.hostname),
                _("Ask your network administrator about DNS, then check again."),
            )
        found.append(format_lazy(_("{host} resolves to {address}."), host=parts.hostname, address=addresses[0]))
    if any(map(_by_proxy, _hosts(subject.connection))):
        found.append(_("The outgoing proxy looks up PingOne's hosts."))
    return passed(sentences(*found))


def tls(subject: Subject) -> Finding:
    plain, until = [], []
    for parts in _hosts(subject.connection):
        if parts.scheme == "http":
            plain.append(parts)
            continue
        try:
            until.append((_certificate_ends(parts), parts.hostname))
        except (OSError, ValueError) as error:
            return failed(
                ConnectionFailure,
                format_lazy(
                    _("Could not establish a trusted TLS connection to {host}: {reason}."),
                    host=parts.hostname,
                    reason=_why(error),
                ),
                _(
                    "Ask your network administrator whether something intercepts TLS connections. A private CA belongs "
                    "in this server's PINGONE_CA_BUNDLE."
                ),
            )
    if plain:
        return _plain(plain)
    ends, host = min(until)
    expires = f"{ends:%Y-%m-%d}"
    if ends - timezone.now() < EXPIRES_SOON:
        text = format_lazy(_("The certificate of {host} expires on {date}."), host=host, date=expires)
        return warning(text, _("Ask the administrator of that host to renew it."))
    return passed(format_lazy(_("The certificates are trusted. The first one expires on {date}."), date=expires))


def discovery(subject: Subject) -> Finding:
    service = discover(subject.connection.auth_url, _environment(subject.connection))
    text = _("The issuer is {issuer}. All its URLs are on the Auth URL's host.")
    return passed(format_lazy(text, issuer=service.issuer))


def environment(subject: Subject) -> Finding:
    connection = subject.connection
    environment_id = _environment(connection)
    try:
        discover(connection.auth_url, environment_id)
    except UnknownEnvironment as error:
        elsewhere = auth_url_of_environment(environment_id, not_at=connection.auth_url)
        if elsewhere is None:
            if _is_custom(connection.auth_url):
                text = _("None of the custom hosts has the environment {environment}.")
            else:
                text = _("No PingOne region has the environment {environment}.")
            return finding_of(
                error,
                format_lazy(text, environment=environment_id),
                _("Copy the Environment ID from the environment's page in PingOne."),
            )
        text = _("The environment {environment} is not at {url}. It is at {right_place}.")
        region = region_of(elsewhere)
        found = finding_of(
            error,
            format_lazy(
                text,
                environment=environment_id,
                url=connection.auth_url,
                right_place=format_lazy("{} ({})", elsewhere, region.name) if region else elsewhere,
            ),
            format_lazy(_("Change the Auth URL to {url}."), url=elsewhere),
        )
        return replace(found, right_auth_url=elsewhere)
    except InvalidApiUrl:
        pass  # the environment exists; its wrong document is another check's finding
    return passed(format_lazy(_("PingOne knows the environment {environment}."), environment=environment_id))


def clock(subject: Subject) -> Finding:
    connection = subject.connection
    asked = timezone.now()
    response = _get(f"{connection.auth_url}/{_environment(connection)}/as/.well-known/openid-configuration")
    halfway = asked + (timezone.now() - asked) / 2
    try:
        told = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return cannot_tell(_("PingOne's answer does not include a time."))
    ahead = halfway - told.replace(tzinfo=told.tzinfo or UTC)
    if abs(ahead) < SLOW_CLOCK:
        return passed(_("This server's clock agrees with PingOne's."))
    if ahead > timedelta(0):
        text = _("This server's clock is {span} ahead of PingOne's.")
    else:
        text = _("This server's clock is {span} behind PingOne's.")
    text = format_lazy(text, span=in_words(abs(ahead)))
    advice = _("Set this server's clock, for example with NTP.")
    return warning(text, advice) if abs(ahead) < WRONG_CLOCK else failed(SignOnUnverified, text, advice)


def api(subject: Subject) -> Finding:
    url = api_url_for(subject.connection.auth_url)
    response = _get(f"{url}/v1/environments")
    if response.status_code >= 500 or response.is_redirect:
        text = format_lazy(_("{url} responds with status {status}."), url=url, status=response.status_code)
        return finding_of(Unavailable("", trace=Trace(status=response.status_code)), text)
    return passed(format_lazy(_("{url} responds."), url=url))


def _is_custom(auth_url: str) -> bool:
    return auth_url in settings.PINGONE_CUSTOM_HOSTS


def _environment(connection: Connection) -> UUID:
    if connection.environment_id is None:
        raise SettingsIncomplete
    return connection.environment_id


def _hosts(connection: Connection) -> list[SplitResult]:
    """Return the hosts of Auth URL and API, each once. Raises InvalidApiUrl: no other host is contacted."""
    urls = dict.fromkeys([connection.auth_url, api_url_for(connection.auth_url)])
    return [urlsplit(url) for url in urls]


def _by_proxy(parts: SplitResult) -> bool:
    return uses_proxy(parts.scheme, str(parts.hostname))


def _looked_up(connection: Connection) -> list[SplitResult]:
    """Return the hosts that this server looks up: the proxy in place of the hosts behind it."""
    hosts = _hosts(connection)
    proxy = [urlsplit(settings.PINGONE_PROXY)] if any(map(_by_proxy, hosts)) else []
    return [*proxy, *(parts for parts in hosts if not _by_proxy(parts))]


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _addresses(parts: SplitResult) -> list[str]:
    """Return the addresses found within five seconds. Uses a thread: the system's resolver has no timeout."""
    thread = ThreadPoolExecutor(1)
    try:
        found = thread.submit(socket.getaddrinfo, parts.hostname, _port(parts), type=socket.SOCK_STREAM)
        return [str(entry[4][0]) for entry in found.result(NAME_TIMEOUT_S)]
    except (OSError, TooSlow):
        return []
    finally:
        thread.shutdown(wait=False)


def _certificate_ends(parts: SplitResult) -> datetime:
    """Return the certificate's expiry. Raises OSError (also ssl.SSLError) unless the host proves its identity."""
    if _by_proxy(parts):
        certificate = certificate_by_proxy(parts.geturl(), timeout_s=TLS_TIMEOUT_S)
    else:
        with (
            socket.create_connection((parts.hostname, _port(parts)), timeout=TLS_TIMEOUT_S) as connection,
            tls_context().wrap_socket(connection, server_hostname=parts.hostname) as secured,
        ):
            certificate = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate.get("notAfter"))), UTC)


def _why(error: Exception) -> Text:
    if isinstance(error, ssl.SSLCertVerificationError):
        return format_lazy(_("the certificate is not accepted ({reason})"), reason=error.verify_message)
    if isinstance(error, TimeoutError):
        return _("no answer within five seconds")
    return (getattr(error, "strerror", "") or type(error).__name__).strip("[]")


def _plain(hosts: list[SplitResult]) -> Finding:
    """Return the finding for custom hosts without TLS, such as a sandbox on the same machine."""
    names = ", ".join(parts.netloc for parts in hosts)
    if all(is_here(str(parts.hostname)) for parts in hosts):
        return passed(format_lazy(_("Connected without TLS, on this machine only: {hosts}."), hosts=names))
    text = _("No TLS: anyone between this server and {hosts} can read and change what is sent.")
    return warning(format_lazy(text, hosts=names), _("Change it to https in this server's PINGONE_CUSTOM_HOSTS."))


def _get(url: str) -> httpx.Response:
    trace = Trace(call=f"GET {url}")
    try:
        return http_client().get(url)
    except httpx.HTTPError as error:
        raise ConnectionFailure(str(error), trace=trace) from error
