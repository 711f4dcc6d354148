"""Refresh tokens: rotation, replay and expiry."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import pytest

from tests.support.oauth import (
    Application,
    administrator,
    answer_of,
    assert_error,
    caretaker,
    claims_of,
    console,
    users_url,
)
from tests.support.sandbox_server import Sandbox, sign_on

CHAIN = "grant_id IN (SELECT id FROM sandbox_oauth_grant WHERE application_id = ?)"


def test_refresh_gives_a_new_pair_in_the_same_session(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    first = application.tokens(http)

    second = application.refresh(http, first["refresh_token"]).json()

    assert second["refresh_token"] != first["refresh_token"]
    before, after = (claims_of(sandbox, http, tokens["access_token"]) for tokens in (first, second))
    assert before["jti"] != after["jti"]
    for same in ("sub", "sid", "scope", "client_id", "env", "org", "aud"):
        assert before[same] == after[same]
    identity = claims_of(sandbox, http, second["id_token"])
    assert (identity["sub"], identity["sid"]) == (before["sub"], before["sid"])
    assert "nonce" not in identity


def test_refresh_leaves_the_old_access_token_alone(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    first = application.tokens(http)

    application.refresh(http, first["refresh_token"])

    assert application.introspect(http, first["access_token"])["active"] is True


def test_narrower_scope_applies_to_a_single_access_token(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    narrow = application.refresh(http, application.tokens(http)["refresh_token"], scope="openid").json()

    assert narrow["scope"] == "openid"
    assert application.refresh(http, narrow["refresh_token"]).json()["scope"] == "openid profile email"


def test_wider_scope_is_refused_and_the_token_stays_valid(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    token = application.tokens(http, scope="openid")["refresh_token"]

    assert_error(application.refresh(http, token, scope="openid email"), 400, "invalid_scope")
    assert application.refresh(http, token).status_code == 200


def test_replayed_token_ends_the_whole_chain(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    first = application.tokens(http)
    second = application.refresh(http, first["refresh_token"]).json()

    assert_error(application.refresh(http, first["refresh_token"]), 400, "invalid_grant")

    assert_error(application.refresh(http, second["refresh_token"]), 400, "invalid_grant")
    assert application.introspect(http, second["access_token"]) == {"active": False}


def test_replay_fails_alone_without_replay_protection(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, additional_refresh_token_replay_protection_enabled=False)
    first = application.tokens(http)
    second = application.refresh(http, first["refresh_token"]).json()

    assert_error(application.refresh(http, first["refresh_token"]), 400, "invalid_grant")

    assert application.refresh(http, second["refresh_token"]).status_code == 200


def test_grace_period_allows_a_second_use(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, refresh_token_rolling_grace_period_duration=60)
    first = application.tokens(http)["refresh_token"]
    lost = application.refresh(http, first).json()["refresh_token"]

    kept = application.refresh(http, first).json()["refresh_token"]

    assert len({first, lost, kept}) == 3
    assert application.refresh(http, kept).status_code == 200
    assert_error(application.refresh(http, first), 400, "invalid_grant")


def test_grace_period_is_followed_by_replay_protection(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, refresh_token_rolling_grace_period_duration=60)
    first = application.tokens(http)["refresh_token"]
    second = application.refresh(http, first).json()["refresh_token"]
    _turn_back(sandbox, application, "exchanged_at", 61)

    assert_error(application.refresh(http, first), 400, "invalid_grant")
    assert_error(application.refresh(http, second), 400, "invalid_grant")


@pytest.mark.parametrize("grace", [0, 60])
def test_concurrent_refreshes_never_exceed_the_allowed_uses(sandbox: Sandbox, http: httpx.Client, grace: int):
    application = console(sandbox, refresh_token_rolling_grace_period_duration=grace)
    token = application.tokens(http)["refresh_token"]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: application.refresh(http, token), range(8)))

    winners = [reply for reply in replies if reply.status_code == 200]
    assert 1 <= len(winners) <= (2 if grace else 1)
    for reply in replies:
        if reply not in winners:
            assert_error(reply, 400, "invalid_grant")
    for winner in winners:  # the failed requests were replays
        assert_error(application.refresh(http, winner.json()["refresh_token"]), 400, "invalid_grant")


def test_concurrent_refreshes_without_replay_protection_leave_a_single_valid_chain(
    sandbox: Sandbox, http: httpx.Client
):
    application = console(sandbox, additional_refresh_token_replay_protection_enabled=False)
    token = application.tokens(http)["refresh_token"]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: application.refresh(http, token), range(8)))

    (winner,) = [reply for reply in replies if reply.status_code == 200]
    assert application.refresh(http, winner.json()["refresh_token"]).status_code == 200


def test_refresh_token_lasts_for_the_duration_of_the_application(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, refresh_token_duration=600)
    young, old = application.tokens(http)["refresh_token"], application.tokens(http)["refresh_token"]
    _turn_back(sandbox, application, "expires_at", 590)
    young = application.refresh(http, young).json()["refresh_token"]
    _turn_back(sandbox, application, "expires_at", 11)

    assert_error(application.refresh(http, old), 400, "invalid_grant")
    assert application.refresh(http, young).status_code == 200


def test_chain_ends_with_its_rolling_duration(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, refresh_token_duration=600, refresh_token_rolling_duration=3600)
    token = application.tokens(http)["refresh_token"]
    sandbox.sql(
        "UPDATE sandbox_oauth_grant SET created_at = datetime(created_at, '-3601 seconds') WHERE application_id = ?",
        application.id,
    )

    last = application.refresh(http, token).json()["refresh_token"]

    assert_error(application.refresh(http, last), 400, "invalid_grant")


def test_chain_without_rolling_duration_does_not_end(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox, refresh_token_rolling_duration=None)
    token = application.tokens(http)["refresh_token"]

    assert application.refresh(http, token).status_code == 200


@pytest.mark.parametrize("garbage", ["made-up", "é", "x" * 5000])
def test_made_up_token_is_an_invalid_grant(sandbox: Sandbox, http: httpx.Client, garbage: str):
    assert_error(console(sandbox).refresh(http, garbage), 400, "invalid_grant")


def test_access_token_is_no_refresh_token(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)

    assert_error(application.refresh(http, application.tokens(http)["access_token"]), 400, "invalid_grant")


def test_request_without_a_token_is_malformed(sandbox: Sandbox, http: httpx.Client):
    assert_error(console(sandbox).token(http, grant_type="refresh_token"), 400, "invalid_request")


def test_token_of_another_application_is_refused_and_stays_valid(sandbox: Sandbox, http: httpx.Client):
    mine, theirs = console(sandbox), console(sandbox)
    token = mine.tokens(http)["refresh_token"]

    assert_error(theirs.refresh(http, token), 400, "invalid_grant")
    assert mine.refresh(http, token).status_code == 200


def test_deactivating_the_user_ends_the_refresh_token_for_good(sandbox: Sandbox, http: httpx.Client):
    application, username, headers = console(sandbox), administrator(sandbox), caretaker(sandbox, http)
    code = answer_of(sign_on(application.authorize_url(), username))["code"]
    tokens = application.exchange(http, code).json()
    address = f"{users_url(sandbox, claims_of(sandbox, http, tokens['access_token'])['sub'])}/enabled"

    for enabled in (False, True):
        assert http.put(address, json={"enabled": enabled}, headers=headers).status_code == 200
        assert_error(application.refresh(http, tokens["refresh_token"]), 400, "invalid_grant")
        assert application.introspect(http, tokens["access_token"]) == {"active": False}


def test_deactivated_user_cannot_refresh_even_without_revocation(sandbox: Sandbox, http: httpx.Client):
    application, username = console(sandbox), administrator(sandbox)
    code = answer_of(sign_on(application.authorize_url(), username))["code"]
    tokens = application.exchange(http, code).json()
    sandbox.sql("UPDATE sandbox_user SET enabled = 0 WHERE username_key = ?", username)

    assert_error(application.refresh(http, tokens["refresh_token"]), 400, "invalid_grant")
    assert application.introspect(http, tokens["access_token"]) == {"active": False}


def test_deleted_session_ends_the_refresh_token_but_not_the_access_token(sandbox: Sandbox, http: httpx.Client):
    application, headers = console(sandbox), caretaker(sandbox, http)
    tokens = application.tokens(http)
    claims = claims_of(sandbox, http, tokens["access_token"])
    session = f"{users_url(sandbox, claims['sub'])}/sessions/{claims['sid']}"

    assert http.get(session, headers=headers).json()["locations"][0]["remoteIp"] == "127.0.0.1"
    assert http.delete(session, headers=headers).status_code == 204

    assert_error(application.refresh(http, tokens["refresh_token"]), 400, "invalid_grant")
    assert application.introspect(http, tokens["access_token"])["active"] is True


def test_refresh_counts_as_activity_of_the_session(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    tokens = application.tokens(http)
    session = UUID(claims_of(sandbox, http, tokens["access_token"])["sid"])
    (before,) = sandbox.sql("SELECT created_at, active_at FROM sandbox_session WHERE id = ?", session)

    application.refresh(http, tokens["refresh_token"])

    (after,) = sandbox.sql("SELECT created_at, active_at FROM sandbox_session WHERE id = ?", session)
    assert after["active_at"] > before["active_at"]
    assert after["created_at"] == before["created_at"]


def _turn_back(sandbox: Sandbox, application: Application, column: str, seconds: int) -> None:
    """Move the timestamps of the application's refresh tokens back."""
    sandbox.sql(
        f"UPDATE sandbox_oauth_refreshtoken SET {column} = datetime({column}, ?) WHERE {CHAIN}",  # noqa: S608
        f"-{seconds} seconds",
        application.id,
    )
