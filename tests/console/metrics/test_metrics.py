"""`/metrics`: what Prometheus reads, and who may read it."""

from contextlib import suppress
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from console.access import Actor
from console.audit import entries
from console.metrics import totals
from console.models import AuditEntry, MetricSeries, Operator, Organization, OutgoingEmail, ScheduledWork
from console.outbox import emails
from console.work.presence import appear
from pingone_integration.calls import breaker, deadline
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError, Unavailable
from pingone_integration.metrics import PAUSES
from pingone_integration.models import Connection
from tests.support.answers import ADA, ada, error
from tests.support.metrics import TOKEN, forget_what_was_counted, scraped
from tests.support.people import make_organization
from tests.support.sign_on import ISSUER, discoverable, tokens

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    forget_what_was_counted()


@pytest.fixture
def api(acme: Organization) -> PingOneApi:
    return open_api(acme.connection)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer \u00e9\u00e9",
        f"Basic {TOKEN}",
        TOKEN,
    ],
)
def test_metrics_need_the_token(client: Client, authorization: str) -> None:
    answer = client.get("/metrics", {"token": TOKEN}, headers={"Authorization": authorization})

    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert "pingone" not in answer.text


def test_scheme_is_read_in_any_case_and_whatever_the_host(client: Client) -> None:
    headers = {"Authorization": f"bearer {TOKEN}", "Host": "10.0.0.7:8000", "X-Forwarded-Proto": "http"}
    answer = client.get("/metrics", headers=headers)

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert answer["Cache-Control"] == "no-store"
    assert client.post("/metrics", headers=headers).status_code == 405


def test_without_the_setting_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    for authorization in ("", "Bearer", "Bearer "):
        assert client.get("/metrics", headers={"Authorization": authorization}).status_code == 404


def test_database_that_does_not_answer_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(totals, "store", fail)
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert (answer.status_code, answer.text) == (503, "database: no answer\n")


ANSWERS: list[tuple[str, httpx.Response | type[Exception]]] = [
    ("success", httpx.Response(200, json=ada())),
    ("refused", httpx.Response(404, json=error("NOT_FOUND"))),
    ("rate_limited", httpx.Response(429, json=error("REQUEST_LIMITED"), headers={"Retry-After": "30"})),
    ("server_error", httpx.Response(500, text="<html>")),
    ("other", httpx.Response(302, headers={"Location": "https://evil.test"})),
    ("timeout", httpx.ReadTimeout),
    ("no_answer", httpx.ReadError),
]


@pytest.mark.parametrize(("outcome", "answer"), ANSWERS, ids=[outcome for outcome, _ in ANSWERS])
def test_each_request_to_pingone_is_counted_by_its_outcome_with_its_time(
    api: PingOneApi, pingone: respx.MockRouter, outcome: str, answer: Any
) -> None:
    route = pingone.put(f"/users/{ADA}/enabled")
    route.mock(side_effect=answer) if isinstance(answer, type) else route.mock(return_value=answer)
    with suppress(PingOneError):
        api.put(f"/users/{ADA}/enabled", {"enabled": True})

    told = scraped()
    counted = {name: value for name, value in told.items() if name[0] == "pingone_call_seconds_count"}
    assert counted == {("pingone_call_seconds_count", "PUT", outcome, "api"): 1}
    # By label: le, method, outcome, service. No answer took a second.
    assert told["pingone_call_seconds_bucket", "1.0", "PUT", outcome, "api"] == 1
    assert told["pingone_call_seconds_bucket", "+Inf", "PUT", outcome, "api"] == 1
    assert 0 <= told["pingone_call_seconds_sum", "PUT", outcome, "api"] < 1


def test_every_attempt_of_a_read_is_counted(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.get("/users").mock(side_effect=[httpx.Response(503), httpx.Response(503), httpx.Response(200, json={})])
    api.get("/users")

    told = scraped()
    assert told["pingone_call_seconds_count", "GET", "server_error", "api"] == 2
    assert told["pingone_call_seconds_count", "GET", "success", "api"] == 1


def test_no_value_of_a_call_becomes_a_label(api: PingOneApi, pingone: respx.MockRouter) -> None:
    """Else a secret or a name could leave, and each new value would be a series for ever."""
    pingone.route().respond(200, json={})
    for method in ("BREW", "get", "X" * 400, "GET"):
        api.exchange(method, f"/users/{ADA}/CanaryPath", query=(("filter", "CanaryQuery"),), content=None)

    methods = {name[1] for name in scraped() if name[0] == "pingone_call_seconds_count"}
    assert methods == {"other", "GET"}
    stored = repr(list(MetricSeries.objects.values_list()))
    assert "Canary" not in stored
    assert str(ADA) not in stored


def test_refreshes_are_counted_by_outcome_with_their_requests(acme: Organization) -> None:
    with respx.mock() as wire:
        discoverable(wire)
        answers = [httpx.Response(200, json=tokens()), httpx.Response(400, json={"error": "invalid_grant"})]
        wire.post(f"{ISSUER}/token").mock(side_effect=answers)
        for _ in answers:
            Connection.objects.update(access_token_expires_at=None)
            try:
                open_api(acme.connection).tokens.current(Connection.objects.get())
            except PingOneError as failure:
                kind = failure.kind

    told = scraped()
    assert told["pingone_token_refreshes_total", "success"] == 1
    assert told["pingone_token_refreshes_total", kind] == 1
    assert told["pingone_call_seconds_count", "POST", "success", "sign-on"] == 1
    assert told["pingone_call_seconds_count", "POST", "refused", "sign-on"] == 1
    assert told["pingone_connection_state", "acme", "reconnect_needed"] == 1


def test_pauses_and_the_calls_not_sent_are_counted(api: PingOneApi, acme: Organization) -> None:
    assert scraped()["pingone_pauses_total",] == 0  # known before the first
    assert scraped()["pingone_connection_paused", "acme"] == 0
    try:
        for _ in range(breaker.IN_A_ROW):
            breaker.failed(acme.connection.pk, Unavailable(), tried=False)
        with deadline.within(1):
            for _ in range(2):
                with pytest.raises(PingOneError):
                    api.get("/users")
    finally:
        breaker.answered(acme.connection.pk, tried=False)

    told = scraped()
    assert told["pingone_pauses_total",] == 1
    assert told["pingone_connection_paused", "acme"] == 1
    assert told["pingone_calls_not_sent_total", "paused"] == 2


def test_failed_sign_ins_are_counted_by_factor(client: Client, org_admin: Operator) -> None:
    def sign_in(email: str, password: str) -> None:
        client.post("/accounts/login/", {"login": email, "password": password})

    cache.clear()
    TOTP.activate(org_admin, "JBSWY3DPEHPK3PXP")
    for email in (org_admin.email, "nobody@acme.test"):
        sign_in(email, "wrong")
    sign_in(org_admin.email, "correct horse battery")
    client.post("/accounts/2fa/authenticate/", {"code": "no code"})

    counted = {name[1]: value for name, value in scraped().items() if name[0] == "console_failed_sign_ins_total"}
    assert counted == {"password": 2, "second_factor": 1}


def test_age_of_refresh_tokens_is_told_by_organization_in_a_fixed_number_of_queries(
    acme: Organization, django_assert_num_queries: Any
) -> None:
    initech = make_organization("initech", "Initech")
    Connection.objects.update(refresh_token_issued_at=timezone.now() - timedelta(days=25))
    Connection.objects.filter(pk=initech.connection.pk).update(sealed_refresh_token="")

    scraped()
    with django_assert_num_queries(5):
        told = scraped()

    ages = {name[1]: value for name, value in told.items() if name[0] == "pingone_refresh_token_age_seconds"}
    assert list(ages) == ["acme"]
    assert ages["acme"] == pytest.approx(25 * 24 * 3600, abs=60)


def test_unfinished_entries_are_told_with_the_age_of_the_oldest(acme: Organization, helpdesk: Operator) -> None:
    assert scraped()["console_unfinished_entries",] == 0
    assert scraped()["console_unfinished_entries_oldest_age_seconds",] == 0
    rows = [begin(acme, helpdesk) for _ in range(3)]
    entries.close(rows[0], entries.Outcome.SUCCEEDED)

    told = scraped()
    assert told["console_unfinished_entries",] == 2
    age = (timezone.now() - rows[1].started_at).total_seconds()
    assert told["console_unfinished_entries_oldest_age_seconds",] == pytest.approx(age, abs=5)


def begin(organization: Organization, operator: Operator) -> AuditEntry:
    row = entries.start(
        organization,
        Actor(kind=AuditEntry.Actor.OPERATOR, operator=operator),
        "user.unlock",
        entries.Subject(kind=AuditEntry.Subject.USER, id=ADA),
        entry=uuid4(),
        circumstances=entries.Circumstances(),
        inputs={},
        before=None,
    )
    assert row
    return row


def test_queue_is_told_by_kind_with_its_length_and_age(acme: Organization) -> None:
    told = scraped()
    for kind in ("email", "schedule"):
        assert told["console_work_waiting", kind] == told["console_work_oldest_age_seconds", kind] == 0
    assert told["console_worker_running",] == 0

    for to in ("a@acme.test", "b@acme.test"):
        emails.write(to=to, subject="", body="", about="", worth_for=timedelta(days=1), may_repeat=True)
    OutgoingEmail.objects.filter(to="a@acme.test").update(wanted_at=timezone.now() - timedelta(hours=1))
    OutgoingEmail.objects.filter(to="b@acme.test").update(due_at=timezone.now() + timedelta(hours=1))  # a later attempt
    ScheduledWork.objects.create(name="due")
    ScheduledWork.objects.create(name="later", due_at=timezone.now() + timedelta(hours=1))
    appear(uuid4())

    told = scraped()
    assert told["console_work_waiting", "email"] == 2
    assert told["console_work_oldest_age_seconds", "email"] == pytest.approx(3600, abs=60)
    assert told["console_work_waiting", "schedule"] == 1
    assert told["console_worker_running",] == 1


def test_counts_of_several_processes_add_up_and_survive_them() -> None:
    PAUSES.inc(2)
    totals.store()
    totals._stored.clear()  # another process, which counted as much as this one in all
    other = totals._counted()["pingone_pauses", "{}"]["_total"]

    assert scraped()["pingone_pauses_total",] == 2 + other
    assert scraped()["pingone_pauses_total",] == 2 + other  # a scrape counts nothing


def test_count_that_could_not_be_stored_is_stored_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(changes: object) -> None:
        raise DatabaseError("locked")

    PAUSES.inc()
    with monkeypatch.context() as broken:
        broken.setattr(totals, "_add", fail)
        broken.setattr(connection, "close", lambda: None)  # the test's own
        totals._try_to_store()

    assert scraped()["pingone_pauses_total",] == 1


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_processes_that_store_at_once_lose_nothing() -> None:
    refreshes = ("pingone_token_refreshes", '{"outcome": "success"}')
    changes = {("pingone_pauses", "{}"): {"_total": 1.0}, refreshes: {"_total": 2.0}}
    failures: list[Exception] = []

    def add() -> None:
        try:
            for _ in range(5):
                totals._add(changes)
        except Exception as error:  # noqa: BLE001 - for the assertion
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    stored = dict(MetricSeries.objects.values_list("metric", "values"))
    assert stored == {"pingone_pauses": {"_total": 20}, "pingone_token_refreshes": {"_total": 40}}
