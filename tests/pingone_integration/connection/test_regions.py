"""The hosts that may be contacted (SSRF): only PingOne's and the configured custom hosts, whatever is pasted."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingone_integration.connection.regions import (
    REGIONS,
    api_url_for,
    parse_auth_url,
    parse_custom_hosts,
    parse_environment_id,
    region_of,
)
from pingone_integration.errors import InvalidApiUrl

ENVIRONMENT = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")
EU = "https://auth.pingone.eu"
LISTED = {region.auth_url for region in REGIONS} | {"http://127.0.0.1:9031", "https://login.acme.test"}


@pytest.fixture(autouse=True)
def _custom_hosts(settings) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {
        "http://127.0.0.1:9031": "http://127.0.0.1:9032",
        "https://login.acme.test": "https://api.pingone.eu",
    }


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.code)
def test_region_has_its_api_beside_its_auth_host(region) -> None:
    assert api_url_for(region.auth_url) == region.auth_url.replace("//auth.", "//api.")
    assert region_of(region.auth_url) == region


def test_custom_domain_is_in_the_region_of_its_listed_api() -> None:
    assert region_of("https://login.acme.test") == next(region for region in REGIONS if region.code == "EU")
    assert region_of("http://127.0.0.1:9031") is None


@pytest.mark.parametrize(
    "pasted",
    [
        "https://auth.pingone.eu",
        "https://auth.pingone.eu/",
        "  https://auth.pingone.eu//\n",
        "auth.pingone.eu",
        "//auth.pingone.eu",
        "AUTH.PingOne.EU",
        "HTTPS://AUTH.PINGONE.EU/",
        "http://auth.pingone.eu",
        "https://auth.pingone.eu:443",
        '"https://auth.pingone.eu"',
        "“auth.pingone.eu”",
        "<https://auth.pingone.eu>,",
        "\u200bhttps://auth.pingone.eu\u00a0",
        "https://auth.pingone.eu.",
        "https://auth.pingone\xad.eu",
        "https://auth.pingone.eu/as",
    ],
)
def test_auth_url_is_understood_in_every_pasted_form(pasted) -> None:
    understood = parse_auth_url(pasted)

    assert (understood.base, understood.environment_id) == (EU, None)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/as",
        "/as/",
        "/as/.well-known/openid-configuration",
        "/as/authorize?client_id=7c6b5a49&scope=openid#here",
        "/as/token",
    ],
)
def test_issuer_and_endpoint_name_the_environment_too(path) -> None:
    understood = parse_auth_url(f"https://auth.pingone.eu/{str(ENVIRONMENT).upper()}{path}")

    assert (understood.base, understood.environment_id) == (EU, ENVIRONMENT)


@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        ("127.0.0.1:9031", "http://127.0.0.1:9031"),
        ("https://127.0.0.1:9031/as", "http://127.0.0.1:9031"),
        ("login.acme.test/as/.well-known/openid-configuration", "https://login.acme.test"),
        ("http://login.acme.test", "https://login.acme.test"),
    ],
)
def test_custom_host_is_understood_in_every_pasted_form(pasted, base) -> None:
    assert parse_auth_url(pasted).base == base


HOSTILE = [
    "",
    " ",
    "https://",
    "https:///auth.pingone.eu@evil.test",
    "https://evil.test",
    "https://evil.test/auth.pingone.eu",
    "https://evil.test#auth.pingone.eu",
    "https://evil.test?https://auth.pingone.eu",
    "https://auth.pingone.eu.evil.test",
    "https://xauth.pingone.eu",
    "https://evil-auth.pingone.eu",
    "https://auth.pingone.de",
    "https://auth.pingone.eu@evil.test",
    "https://auth.pingone.eu:443@evil.test",
    "https://somebody@auth.pingone.eu",
    "https://somebody:secret@auth.pingone.eu",
    "https://@auth.pingone.eu",
    "https://auth.pingone.eu\\@evil.test",
    "https://evil.test\\auth.pingone.eu",
    "https:\\\\auth.pingone.eu",
    "https://auth.pingone.eu:8443",
    "https://auth.pingone.eu:0",
    "https://auth.pingone.eu:99999",
    "https://auth.pingone.eu:443x",
    "http://auth.pingone.eu:80",
    "http://127.0.0.1",
    "http://127.0.0.1:9032",
    "http://127.0.0.1:9031@169.254.169.254",
    "http://localhost:9031",
    "http://2130706433:9031",
    "http://0x7f.1:9031",
    "http://[::1]:9031",
    "http://[::ffff:127.0.0.1]:9031",
    "http://[::1",
    "http://169.254.169.254/latest/meta-data",
    "ftp://auth.pingone.eu",
    "file:///etc/passwd",
    "javascript://auth.pingone.eu/%0aalert(1)",
    "data:text/html,auth.pingone.eu",
    "gopher://auth.pingone.eu",
    "https://auth%2epingone.eu",
    "https://%61uth.pingone.eu",
    "https://auth.pingone.eu%00.evil.test",
    "https://auth.pingone.eu%0d%0aHost:evil.test",
    "https://auth.pingone.eu\r\nHost: evil.test",
    "https://auth.ping\tone.eu",
    "https://auth.ping one.eu",
    "https://auth.pingone.eu\x00",
    "https://auth.pingone.eu/../../evil",
    "https://auth.pingone.eu/%2e%2e/evil",
    "https://auth.pingone.eu/5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711/../other",
    "https://auth.pingone.eu/5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711/5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7712",
    "https://auth.pingone.eu/5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711;x=1",
    "https://auth.pingone.eu/not-an-environment",
    "https://auth．pingone．eu",  # noqa: RUF001 - full-width dots
    "https://auth。pingone。eu",  # ideographic dots
    "https://аuth.pingone.eu",  # noqa: RUF001 - a Cyrillic letter
    "https://auth.pıngone.eu",  # noqa: RUF001 - dotless i
    "https://auth.pİngone.eu",
    "https://auth.pingone.eu\u2215evil.test",
    "https://\u202eue.enognip.htua",
    "https://xn--auth-xyz.pingone.eu",
    "https://auth.xn--pingone-9za.eu",
    "https://auth.pingone.eu" + "/" * 2000,
]


@pytest.mark.parametrize("pasted", HOSTILE)
def test_unlisted_host_is_refused(pasted) -> None:
    with pytest.raises(InvalidApiUrl):
        parse_auth_url(pasted)


@pytest.mark.parametrize("pasted", [*HOSTILE, EU.upper(), f"{EU}/", f"{EU}:443"])
def test_api_url_needs_the_exact_listed_auth_url(pasted) -> None:
    with pytest.raises(InvalidApiUrl):
        api_url_for(pasted)


_near_misses = st.lists(
    st.sampled_from(
        "https|http|://|//|/|\\|@|:|443|9031|.|auth|api|pingone|eu|com|auth.pingone.eu|127.0.0.1|evil.test|login.acme.test|"
        f"%2e|%40|?|#|as|{ENVIRONMENT}|\u3002| |\n|xn--|[|]|;|..|аuth".split("|")  # noqa: RUF001 - a Cyrillic letter
    ),
    max_size=9,
).map("".join)


@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"])), _near_misses))
def test_understood_auth_url_is_always_listed(pasted) -> None:
    try:
        understood = parse_auth_url(pasted)
    except InvalidApiUrl:
        return
    assert understood.base in LISTED


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("https://api.pingone.eu/v1/environments", "api.pingone.eu is the management API. The Auth URL of the same"),
        (
            "console.pingone.com.au",
            "PingOne's admin console. The Auth URL of the same region is https://auth.pingone.com.au",
        ),
        ("https://console.pingone.eu/?env=5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711#home", "https://auth.pingone.eu"),
        (
            "orchestrate-api.pingone.asia",
            "the DaVinci API. The Auth URL of the same region is https://auth.pingone.asia",
        ),
        ("mcp.pingone.sg", "another PingOne service. The Auth URL of the same region is https://auth.pingone.sg"),
        ("auth.pingone.eu:8443", "does not use port 8443. The Auth URL of European Union is https://auth.pingone.eu"),
        ("https://auth.pingone.eu/settings", "Try just https://auth.pingone.eu"),
        ("somebody@auth.pingone.eu", "no username"),
        ("auth.pingone .eu", "The Auth URL contains a space after “auth.pingone”."),
        ("ftp://auth.pingone.eu", "starts with https://"),
        ("http://[::1", "This is not a URL"),
    ],
)
def test_mistake_is_explained_with_the_right_address(pasted, sentence) -> None:
    with pytest.raises(InvalidApiUrl) as refused:
        parse_auth_url(pasted)

    assert sentence in str(refused.value)


def test_unknown_host_is_answered_with_every_auth_url() -> None:
    with pytest.raises(InvalidApiUrl) as refused:
        parse_auth_url("https://auth.pingone.de")

    assert all(listed in str(refused.value) for listed in LISTED)


@pytest.mark.parametrize(
    "pasted",
    [
        str(ENVIRONMENT),
        f"  {str(ENVIRONMENT).upper()}\n",
        f"{{{ENVIRONMENT}}}",
        f"'{ENVIRONMENT}'",
        f"urn:uuid:{ENVIRONMENT}",
        ENVIRONMENT.hex,
    ],
)
def test_environment_id_is_understood_in_every_pasted_form(pasted) -> None:
    assert parse_environment_id(pasted) == ENVIRONMENT


@pytest.mark.parametrize(
    "pasted",
    ["", "production", str(ENVIRONMENT)[:-1], f"{ENVIRONMENT}0", f"{{{ENVIRONMENT}", f"../{ENVIRONMENT}", "５" * 32],  # noqa: RUF001
)
def test_environment_id_is_refused_in_any_other_form(pasted) -> None:
    with pytest.raises(InvalidApiUrl, match="UUID"):
        parse_environment_id(pasted)


def test_custom_hosts_are_pairs_of_bare_addresses() -> None:
    assert parse_custom_hosts(["https://Login.Acme.test/=https://api.pingone.eu"]) == {
        "https://login.acme.test": "https://api.pingone.eu"
    }


@pytest.mark.parametrize(
    "pair",
    [
        "https://login.acme.test",
        "login.acme.test=https://api.pingone.eu",
        "https://login.acme.test/as=https://api.pingone.eu",
        "https://a@login.acme.test=https://api.pingone.eu",
        "https://login.acme.test=https://api.pingone.eu?x",
        "https://login.acme.test=",
    ],
)
def test_malformed_custom_host_stops_the_start(pair) -> None:
    with pytest.raises(ValueError, match="PINGONE_CUSTOM_HOSTS"):
        parse_custom_hosts([pair])
