"""Checks of the network path to PingOne: addresses, names, certificates, discovery, clocks."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import httpx
from django.conf import settings
from django.utils import timezone

from pingone_integration.calls.api import http_client
from pingone_integration.checks.model import (
    Finding,
    Subject,
    cannot_tell,
    failed,
    finding_of,
    in_words,
    passed,
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

NAME_TIMEOUT_S = 5.0
TLS_TIMEOUT_S = 5.0
EXPIRES_SOON = timedelta(days=14)
SLOW_CLOCK = timedelta(seconds=60)  # ID tokens and lifetimes begin to fail
WRONG_CLOCK = timedelta(minutes=5)


def auth_url(subject: Subject) -> Finding:
    url = subject.connection.auth_url
    if not url:
        return failed(SettingsIncomplete, "No Auth URL has been entered.")
    region = region_of(url)
    if _is_custom(url):
        where = f", in the region {region.name}" if region else ""
        return passed(f"{url} is a custom host that this server lists{where}.")
    return passed(f"{url} belongs to the region {region.name}." if region else url)


def api_url(subject: Subject) -> Finding:
    return passed(f"Calls go to {api_url_for(subject.connection.auth_url)}.")


def host_name(subject: Subject) -> Finding:
    found = []
    for parts in _hosts(subject.connection):
        addresses = _addresses(parts)
        if not addresses:
            text = f"The name {parts.hostname} has no address: the DNS service of this server does not know it."
            return failed(ConnectionFailure, text, "Ask whoever runs the network about DNS, then check again.")
        found.append(f"{parts.hostname} is {addresses[0]}")
    return passed(f"{'; '.join(found)}.")


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
                f"No trusted TLS connection to {parts.hostname} comes about: {_why(error)}.",
                "Ask whoever runs the network whether something opens TLS connections on the way, then check again.",
            )
    if plain:
        return _plain(plain)
    ends, host = min(until)
    if ends - timezone.now() < EXPIRES_SOON:
        return warning(f"The certificate of {host} ends on {ends:%Y-%m-%d}.", "Ask whoever runs that host to renew it.")
    return passed(f"The certificates are trusted; the first of them ends on {ends:%Y-%m-%d}.")


def discovery(subject: Subject) -> Finding:
    service = discover(subject.connection.auth_url, _environment(subject.connection))
    return passed(f"The issuer is {service.issuer}, and all its addresses are on the Auth URL's host.")


def environment(subject: Subject) -> Finding:
    connection = subject.connection
    environment_id = _environment(connection)
    try:
        discover(connection.auth_url, environment_id)
    except UnknownEnvironment as error:
        elsewhere = auth_url_of_environment(environment_id, not_at=connection.auth_url)
        if elsewhere is None:
            where = "None of the custom hosts" if _is_custom(connection.auth_url) else "No region of PingOne"
            text = f"{where} knows the environment {environment_id}."
            return finding_of(error, text, "Copy the Environment ID from the environment's page in PingOne.")
        region = region_of(elsewhere)
        found = finding_of(
            error,
            f"The environment {environment_id} is not at {connection.auth_url}, but "
            f"{f'in {region.name}' if region else f'at {elsewhere}'}.",
            f"Change the Auth URL to {elsewhere}.",
        )
        return replace(found, right_auth_url=elsewhere)
    except InvalidApiUrl:
        pass  # the environment exists; its wrong document is another check's finding
    return passed(f"The sign-on service knows the environment {environment_id}.")


def clock(subject: Subject) -> Finding:
    connection = subject.connection
    asked = timezone.now()
    response = _get(f"{connection.auth_url}/{_environment(connection)}/as/.well-known/openid-configuration")
    halfway = asked + (timezone.now() - asked) / 2
    try:
        told = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return cannot_tell("PingOne's answer does not say what time it is there.")
    ahead = halfway - told.replace(tzinfo=told.tzinfo or UTC)
    if abs(ahead) < SLOW_CLOCK:
        return passed("This server and PingOne agree about the time.")
    direction = "ahead of" if ahead > timedelta(0) else "behind"
    text = f"The clock of this server is {in_words(abs(ahead))} {direction} PingOne's."
    advice = "Whoever runs this server sets its clock right, for example with NTP."
    return warning(text, advice) if abs(ahead) < WRONG_CLOCK else failed(SignOnUnverified, text, advice)


def api(subject: Subject) -> Finding:
    url = api_url_for(subject.connection.auth_url)
    response = _get(f"{url}/v1/environments")
    if response.status_code >= 500 or response.is_redirect:
        text = f"{url} answers with status {response.status_code}."
        return finding_of(Unavailable("", trace=Trace(status=response.status_code)), text)
    return passed(f"{url} answers.")


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
    context = httpx.create_ssl_context(trust_env=False)  # as in every call
    with (
        socket.create_connection((parts.hostname, _port(parts)), timeout=TLS_TIMEOUT_S) as connection,
        context.wrap_socket(connection, server_hostname=parts.hostname) as secured,
    ):
        ends = (secured.getpeercert() or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(ends)), UTC)


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "nobody answers within five seconds"
    return (getattr(error, "strerror", "") or type(error).__name__).strip("[]")


def _plain(hosts: list[SplitResult]) -> Finding:
    """Return the finding for custom hosts without TLS, such as a sandbox on the same machine."""
    names = ", ".join(parts.netloc for parts in hosts)
    if all(_is_here(str(parts.hostname)) for parts in hosts):
        return passed(f"{names} is a custom host on this machine, reached without TLS.")
    text = f"{names} is reached without TLS: whoever is in between can read and change what is sent."
    return warning(text, "Whoever runs this server changes it to https in PINGONE_CUSTOM_HOSTS.")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _get(url: str) -> httpx.Response:
    trace = Trace(call=f"GET {url}")
    try:
        return http_client().get(url)
    except httpx.HTTPError as error:
        raise ConnectionFailure(str(error), trace=trace) from error
