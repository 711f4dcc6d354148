"""Call API stays inside the managed environment, whatever text is entered."""

from uuid import UUID, uuid4

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from pingone_integration.calls import any_endpoint
from pingone_integration.calls.any_endpoint import Endpoint, UnsafePath, parse_endpoint, parse_media_type
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.gate import AccessToken
from pingone_integration.errors import Unavailable
from pingone_integration.models import Connection

ENVIRONMENT = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")
OTHER = "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
BASE = f"https://api.pingone.test/v1/environments/{ENVIRONMENT}"


class OneToken:
    def row(self) -> Connection:
        return Connection()

    def current(self, row: Connection) -> AccessToken:
        return AccessToken("the-access-token", 1)

    def renewed(self, rejected: AccessToken) -> AccessToken:
        return AccessToken("the-next-token", 2)


@pytest.fixture
def api() -> PingOneApi:
    return PingOneApi(base_url=BASE, connection_id=uuid4(), tokens=OneToken(), transaction_id=uuid4())


@pytest.mark.parametrize(
    ("typed", "path", "query"),
    [
        ("users", "/users", ()),
        (" /users/ \n", "/users", ()),
        ("/users?limit=5&filter=email%20sw%20%22a%22", "/users", (("limit", "5"), ("filter", 'email sw "a"'))),
        (f"/v1/environments/{ENVIRONMENT}/populations", "/populations", ()),
        (f"environments/{ENVIRONMENT}", "", ()),
        (f"/users/{OTHER}/devices", f"/users/{OTHER}/devices", ()),
        ("/a.b/c-d_e~f", "/a.b/c-d_e~f", ()),
    ],
)
def test_path_is_understood_as_typed_or_copied(typed: str, path: str, query: tuple[tuple[str, str], ...]) -> None:
    assert parse_endpoint(typed, environment_id=ENVIRONMENT) == Endpoint(path=path, query=query)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "/",
        "..",
        "/../" + OTHER,
        "/users/../../" + OTHER + "/users",
        "/users/..",
        "/./users",
        "/users//x",
        "/%2e%2e/" + OTHER,
        "/%252e%252e/" + OTHER,
        "/users%2f..%2f..",
        "//evil.test/users",
        "\\\\evil.test\\users",
        "/users\\..\\..",
        "https://evil.test/users",
        "http://api.pingone.eu/v1/environments",
        "https:evil.test",
        "user:secret@evil.test",
        "/@evil.test",
        f"/v1/environments/{OTHER}/users",
        f"environments/{OTHER}",
        "/v1/environments/",
        "/users\r\nX-Injected: 1",
        "/us\ters",
        "/users\x00",
        "/users#fragment",
        "/users;x=1",
        "/\uff0e\uff0e/users",  # full-width dots
        "/users\u2215..",  # a slash of mathematics
        "/users\u2044x",
        "/...",
        "/.hidden",
        "/users.",
        f"/users/{OTHER.replace('-', '')}",
        "/users/1-2-3-4-5",
        "/us ers",
        "/" + "a" * 501,
        "/users?" + "a=" + "b" * 4001,
        "/users?limit",
        "/users?a=%ff",
    ],
)
def test_path_outside_the_environment_is_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(UnsafePath, match=r"\w{3,}"):
        parse_endpoint(typed, environment_id=ENVIRONMENT)


_PIECES = (
    *("users", "..", ".", "/", "//", "\\", "%2e", "%252e", "%2f", "@", ":", "https://", "evil.test", "?", "#", ";"),
    *("\r\n", "\t", "\u2215", "\uff0e", "v1", "environments", OTHER, str(ENVIRONMENT), "a=b", "&", " ", "\x00"),
)
_HOSTILE = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=60
)


@given(typed=_HOSTILE)
def test_path_never_leads_out_of_the_environment(typed: str) -> None:
    try:
        endpoint = parse_endpoint(typed, environment_id=ENVIRONMENT)
    except UnsafePath:
        return
    sent = httpx.URL(BASE + endpoint.path, params=endpoint.query or None)
    assert (sent.scheme, sent.host, sent.userinfo, sent.fragment) == ("https", "api.pingone.test", b"", "")
    assert sent.raw_path.partition(b"?")[0].decode() == httpx.URL(BASE).path + endpoint.path


@pytest.mark.parametrize("typed", ["text/html", "application/json\r\nX-Injected: 1", "application/json, text/html", ""])
def test_content_type_is_a_single_json_like_media_type(typed: str) -> None:
    with pytest.raises(UnsafePath):
        parse_media_type(typed)


@pytest.mark.parametrize("media_type", any_endpoint.MEDIA_TYPES)
def test_content_type_that_is_offered_is_accepted(media_type: str) -> None:
    assert parse_media_type(media_type) == media_type


def test_answer_of_any_status_is_shown_unchanged(api: PingOneApi) -> None:
    with respx.mock:
        respx.post(f"{BASE}/users").respond(
            400, text="<p>no</p>", headers={"Correlation-Id": "c-1", "Set-Cookie": "a=b", "Content-Type": "text/html"}
        )

        exchange = any_endpoint.call(api, "POST", Endpoint(path="/users"), body="{}")

    assert (exchange.status, exchange.reason, exchange.body, exchange.size) == (400, "Bad Request", "<p>no</p>", 9)
    assert exchange.headers == {"correlation-id": "c-1", "content-type": "text/html"}


def test_body_travels_as_typed_with_the_chosen_content_type(api: PingOneApi) -> None:
    unlock = "application/vnd.pingidentity.account.unlock+json"
    with respx.mock:
        route = respx.post(f"{BASE}/users/{OTHER}").respond(200, json={})

        any_endpoint.call(api, "POST", Endpoint(path=f"/users/{OTHER}"), body='{"a": 1}', media_type=unlock)

    assert route.calls.last.request.content == b'{"a": 1}'
    assert route.calls.last.request.headers["Content-Type"] == unlock
    assert route.calls.last.request.headers["Authorization"] == "Bearer the-access-token"


def test_redirect_is_shown_and_not_followed(api: PingOneApi) -> None:
    with respx.mock:
        respx.get(f"{BASE}/users").respond(302, headers={"Location": "https://evil.test/"})

        assert any_endpoint.call(api, "GET", Endpoint(path="/users")).status == 302


def test_write_without_an_answer_is_sent_once_with_an_unknown_outcome(api: PingOneApi) -> None:
    with respx.mock:
        route = respx.delete(f"{BASE}/users/{OTHER}").mock(side_effect=httpx.ReadTimeout)

        with pytest.raises(Unavailable) as raised:
            any_endpoint.call(api, "DELETE", Endpoint(path=f"/users/{OTHER}"))

    assert route.call_count == 1
    assert not raised.value.outcome_known
