"""A private CA and an outgoing proxy, over real sockets, and what still holds with them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from pingone_integration.calls import outgoing, transport
from pingone_integration.calls.api import http_client
from pingone_integration.calls.outgoing import uses_proxy
from pingone_integration.checks import BY_KEY, State, Subject, run
from pingone_integration.connection.discovery import discover
from pingone_integration.connection.oauth import open_client
from pingone_integration.errors import ConnectionFailure, InvalidApiUrl, TokenRefreshFailure, Unavailable
from pingone_integration.models import Connection
from tests.support.connect_proxy import ConnectProxy, connect_proxy
from tests.support.private_ca import HttpsServer, PrivateCa, https_server, make_private_ca
from tests.support.sign_on import CALLBACK, discovery_document

ENVIRONMENT = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")
CLOSED = "http://127.0.0.1:9"  # the discard port: no service listens there


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return make_private_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def server(ca: PrivateCa) -> Iterator[HttpsServer]:
    with https_server(ca) as running:
        yield running


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with connect_proxy() as running:
        yield running


def forget() -> None:
    """Forget connections and trust, as a new process does."""
    transport.shared_transport().close()
    http_client.cache_clear()
    transport.shared_transport.cache_clear()
    outgoing.tls_context.cache_clear()


@pytest.fixture
def way(settings: Any, ca: PrivateCa) -> Iterator[Any]:
    """Return the settings, with the private CA trusted and nothing kept from earlier connections."""
    forget()
    settings.PINGONE_CA_BUNDLE = str(ca.bundle)
    yield settings
    forget()


def listed(settings: Any, server: HttpsServer, host: str) -> str:
    """Return the Auth URL of a host after listing it. It answers with its discovery document."""
    url = f"https://{host}:{server.port}"
    settings.PINGONE_CUSTOM_HOSTS = {url: url}
    server.answer = (200, {}, discovery_document(f"{url}/{ENVIRONMENT}/as"))
    return url


def connection_to(url: str) -> Connection:
    connection = Connection(client_id="client", auth_url=url, environment_id=ENVIRONMENT)
    connection.sealed_client_secret = connection.seal("client_secret", "the-client-secret")
    return connection


@pytest.mark.parametrize("by_proxy", [False, True], ids=["direct", "by proxy"])
def test_private_ca_is_trusted_only_if_its_file_is_set(
    way: Any, server: HttpsServer, proxy: ConnectProxy, by_proxy: bool
) -> None:
    url = listed(way, server, "login.acme.test" if by_proxy else "localhost")
    way.PINGONE_PROXY = f"http://127.0.0.1:{proxy.port}" if by_proxy else ""

    assert discover(url, ENVIRONMENT).issuer == f"{url}/{ENVIRONMENT}/as"

    server.asked.clear()
    way.PINGONE_CA_BUNDLE = ""
    forget()
    with pytest.raises(ConnectionFailure, match=r"(?i)certificate"):
        discover(url, ENVIRONMENT)
    assert server.asked == [], "nothing is sent to a host that does not prove its name"


def test_every_call_goes_by_the_proxy_which_sees_names_only(way: Any, server: HttpsServer, proxy: ConnectProxy) -> None:
    url = listed(way, server, "login.acme.test")
    way.PINGONE_PROXY = f"http://console:pr%40xy-pass@127.0.0.1:{proxy.port}"

    client = open_client(connection_to(url))
    server.answer = (400, {}, {"error": "invalid_grant"})
    with pytest.raises(TokenRefreshFailure):
        client.exchange_code("the-code", redirect_uri=CALLBACK, code_verifier="v")

    assert set(proxy.asked) == {f"CONNECT login.acme.test:{server.port} HTTP/1.1"}
    credentials = [header for header in proxy.headers if "authorization" in header.lower()]
    assert set(credentials) == {"Proxy-Authorization: Basic Y29uc29sZTpwckB4eS1wYXNz"}
    assert [path.rpartition("/")[2] for path, _ in server.asked] == ["openid-configuration", "token"]
    assert not any(name.lower().startswith("proxy") for _, headers in server.asked for name in headers)


@pytest.mark.parametrize("refusal", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_proxy_that_lets_nothing_through_is_a_connection_failure(
    way: Any, server: HttpsServer, proxy: ConnectProxy, refusal: str
) -> None:
    url = listed(way, server, "login.acme.test")
    way.PINGONE_PROXY, proxy.refusal = f"http://127.0.0.1:{proxy.port}", refusal

    with pytest.raises(ConnectionFailure, match=refusal[:3]) as caught:
        discover(url, ENVIRONMENT)
    with pytest.raises(httpx.ConnectError, match=refusal[:3]):  # so that a write is known not to have happened
        http_client().post(url)

    assert "proxy" in str(caught.value.cause)
    assert server.asked == []


def test_unreachable_proxy_is_a_connection_failure_and_not_bypassed(way: Any, server: HttpsServer) -> None:
    url = listed(way, server, "login.acme.test")
    way.PINGONE_PROXY = CLOSED

    with pytest.raises(ConnectionFailure):
        discover(url, ENVIRONMENT)
    assert server.asked == []


def test_host_behind_the_proxy_has_to_prove_its_name(way: Any, server: HttpsServer, proxy: ConnectProxy) -> None:
    url = listed(way, server, "auth.pingone.test")  # the proxy leads to a machine with another name
    way.PINGONE_PROXY = f"http://127.0.0.1:{proxy.port}"

    with pytest.raises(ConnectionFailure, match=r"(?i)certificate"):
        discover(url, ENVIRONMENT)
    assert server.asked == []


def test_proxy_is_asked_for_listed_hosts_only(way: Any, server: HttpsServer, proxy: ConnectProxy) -> None:
    url = listed(way, server, "login.acme.test")
    way.PINGONE_PROXY = f"http://127.0.0.1:{proxy.port}"

    with pytest.raises(InvalidApiUrl):
        discover(f"https://metadata.internal:{server.port}", ENVIRONMENT)
    server.answer = (200, {}, discovery_document(f"{url}/{ENVIRONMENT}/as", jwks_uri="https://metadata.internal/keys"))
    with pytest.raises(InvalidApiUrl):
        discover(url, ENVIRONMENT)
    server.answer = (302, {"Location": "https://metadata.internal/"}, {})
    with pytest.raises(Unavailable):
        discover(url, ENVIRONMENT)

    assert set(proxy.asked) == {f"CONNECT login.acme.test:{server.port} HTTP/1.1"}


def test_host_on_this_machine_is_called_without_the_proxy(way: Any, server: HttpsServer) -> None:
    url = listed(way, server, "localhost")
    way.PINGONE_PROXY = CLOSED

    assert discover(url, ENVIRONMENT).issuer.startswith(url)


@pytest.mark.parametrize(
    ("scheme", "host", "by_proxy"),
    [
        ("https", "auth.pingone.eu", True),
        ("https", "192.0.2.7", True),
        ("https", "localhost.acme.test", True),
        ("http", "auth.pingone.eu", False),
        ("https", "localhost", False),
        ("https", "pingone.localhost", False),
        ("https", "127.0.0.1", False),
        ("https", "127.9.9.9", False),
        ("https", "::1", False),
    ],
)
def test_only_other_machines_with_tls_are_called_by_the_proxy(
    settings: Any, scheme: str, host: str, by_proxy: bool
) -> None:
    settings.PINGONE_PROXY = "http://proxy.test:3128"
    assert uses_proxy(scheme, host) is by_proxy

    settings.PINGONE_PROXY = ""
    assert not uses_proxy(scheme, host)


@pytest.mark.django_db
def test_checks_use_the_proxy_and_the_private_ca(way: Any, server: HttpsServer, proxy: ConnectProxy) -> None:
    connection = connection_to(listed(way, server, "login.acme.test"))
    connection.save(force_insert=True)
    way.PINGONE_PROXY = f"http://127.0.0.1:{proxy.port}"

    def found(key: str) -> tuple[State, str]:
        finding = run(BY_KEY[key], Subject(connection, CALLBACK)).finding
        return finding.state, str(finding.text)

    names, certificate = found("host-name"), found("tls")
    assert names == (
        State.PASSED,
        "127.0.0.1 resolves to 127.0.0.1. The outgoing proxy looks up PingOne's hosts.",
    )
    assert certificate[0] == State.PASSED, certificate[1]
    assert proxy.asked == [f"CONNECT login.acme.test:{server.port} HTTP/1.1"]
    connection.auth_url = listed(way, server, "localhost")
    connection.save()
    assert found("tls") == certificate, "without the proxy too"
    connection.auth_url = listed(way, server, "login.acme.test")
    connection.save()
    way.PINGONE_CA_BUNDLE = ""
    forget()
    state, text = found("tls")
    assert state == State.FAILED
    assert "the certificate is not accepted" in text
    proxy.refusal = "407 Proxy Authentication Required"
    assert "407 Proxy Authentication Required" in found("tls")[1]
