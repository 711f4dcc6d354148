"""Failure, lost answer and unknown effect in words: each of them by every way to add somebody to a group."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from django.core.cache import cache
from django.test import Client

from console.access import OrgAccess, enter_org
from console.actions.catalogue import BY_KEY
from console.actions.notices import notice_of_step
from console.actions.outcome import AlreadySubmitted
from console.actions.step import Step
from console.models import AuditEntry, Operator
from tests.support.answers import ADA, ENGINEERS, ada, error, listing
from tests.support.asking import Directory, Way, asking, directory_for
from tests.support.people import API_URL
from tests.support.performing import on_record

ADD = BY_KEY["group.add"]
MEMBERSHIP = f"/users/{ADA}/memberOfGroups/{ENGINEERS}"


@dataclass
class Groups(Directory):
    """The directory of the actions, with what the pages about groups and new users read."""

    is_blind: bool = False  # the membership cannot be read after the write

    def _read(self, path: str) -> httpx.Response:
        if path.endswith("/roleAssignments"):
            return httpx.Response(200, json=listing("roleAssignments"))
        if self.is_blind and self.taken and path == MEMBERSHIP:
            return httpx.Response(400, json=error("INVALID_DATA"))
        return super()._read(path)


@pytest.fixture
def directory() -> Iterator[Groups]:
    cache.clear()
    canned = Groups(httpx.Response(201, json={}), after=dict(directory_for(ADD).after))
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).mock(side_effect=canned)
        yield canned
    cache.clear()


def followed(client: Client, response: Any) -> str:
    if response.status_code == 302:
        response = client.get(response.url)
    return unescape(response.content.decode())


def by_several_actions(operator: Operator, directory: Groups) -> str:
    client = Client()
    client.force_login(operator)
    data = {"add": "1", "submission": str(uuid4()), "group_ids": [str(ENGINEERS)]}
    return followed(client, client.post(f"/o/acme/users/{ADA}/groups/", data))


def by_new_user(operator: Operator, directory: Groups) -> str:
    client = Client()
    client.force_login(operator)
    directory.answers.insert(0, httpx.Response(201, json=ada()))
    if len(directory.answers) == 1:
        directory.answers.append(directory.written)
    data = {"username": "ada.berg", "join": [str(ENGINEERS)], "submission": str(uuid4())}
    return followed(client, client.post("/o/acme/users/new/", data))


def by_undo(operator: Operator, directory: Groups) -> str:
    client = Client()
    client.force_login(operator)
    access: OrgAccess = enter_org(operator, "acme")
    was, now = ({"group": "Engineers", "direct_member": is_member} for is_member in (True, False))
    entry = on_record(access, "group.remove", "succeeded", before=was, after=now, inputs={"group_id": ENGINEERS})
    return followed(client, client.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())}))


WAYS: dict[str, Callable[[Operator, Groups], str]] = {
    **{str(way): lambda operator, _, way=way: asking(way, operator)(ADD).text for way in Way},  # type: ignore[misc]
    "several actions": by_several_actions,
    "new user": by_new_user,
    "undo": by_undo,
}
AMONG_OTHERS = {"several actions", "new user"}
SURE, UNSURE = "Could not add", "We do not know whether"


@pytest.mark.parametrize("way", WAYS)
class TestWords:
    def test_failure_says_why_and_not_that_it_may_have_happened(self, way, org_admin, directory):
        directory.answers = [httpx.Response(403, json=error("ACCESS_FAILED"))]

        text = WAYS[way](org_admin, directory)

        assert outcome() == "failed"
        assert "PingOne does not allow this" in text
        assert (SURE in text) == (way in AMONG_OTHERS)
        assert not [words for words in (UNSURE, "may have been made", "Added ada", "Added Ada") if words in text]

    def test_lost_answer_says_that_it_may_have_happened(self, way, org_admin, directory):
        directory.answers = [httpx.ReadTimeout("too late")]

        text = WAYS[way](org_admin, directory)

        assert outcome() == "unknown"
        assert "No answer from PingOne: the change may have been made" in text
        assert (UNSURE in text) == (way in AMONG_OTHERS)
        assert not [words for words in ("Could not add", "Added ada", "Added Ada") if words in text]

    def test_effect_that_is_not_there_says_so(self, way, org_admin, directory):
        directory.answers = [httpx.Response(201, json={})]

        text = WAYS[way](org_admin, directory)

        assert outcome() == "unknown"
        assert "PingOne accepted the change, but does not show it" in text
        assert (UNSURE in text) == (way in AMONG_OTHERS)
        assert not [words for words in ("Could not add", "Added ada", "Added Ada") if words in text]

    def test_nothing_to_change_says_so(self, way, org_admin, directory):
        directory.taken = 1  # its effect is there before
        directory.after = {MEMBERSHIP: {"id": str(ENGINEERS), "name": "Engineers", "type": "DIRECT"}}

        text = WAYS[way](org_admin, directory)

        if way == "undo":
            assert "has changed since then" in text
            return
        assert outcome() == "no change"
        assert "was already in Engineers." in text
        assert not [words for words in (SURE, UNSURE, "Added ada", "Added Ada") if words in text]

    def test_note_of_the_entry_is_told(self, way, org_admin, directory):
        directory.is_blind = True

        text = WAYS[way](org_admin, directory)

        assert outcome() == "succeeded"
        assert "Added " in text
        assert "The result could not be verified." in text


def outcome() -> str:
    return AuditEntry.objects.order_by("sequence").reverse()[0].outcome


@pytest.mark.parametrize(
    ("recorded", "words"),
    [
        ("succeeded", "Added Ada Berg to Engineers."),
        ("no change", "Ada Berg was already in Engineers."),
        ("failed", "Could not add Ada Berg to Engineers. This was already submitted and failed."),
        ("unknown", "We do not know whether Ada Berg was added to Engineers. This was already submitted, and its"),
        (
            None,
            "We do not know whether Ada Berg was added to Engineers. This was already submitted and is still running.",
        ),
    ],
)
def test_step_submitted_before_says_what_became_of_it(org_admin, recorded, words):
    entry = on_record(enter_org(org_admin, "acme"), "group.add", recorded, before={}, inputs={"group_id": ENGINEERS})
    step = Step(action=ADD, inputs={"group_id": ENGINEERS}, names={"group": "Engineers"})

    assert str(notice_of_step(step, AlreadySubmitted(entry=entry), name="Ada Berg").text).startswith(words)


def test_secret_is_shown_with_the_note_of_its_entry(org_admin, directory):
    action = BY_KEY["password.set-temporary"]
    directory.written = httpx.Response(200, json=ada())
    directory.after = {f"/users/{ADA}/password": None}

    told = asking(Way.PAGE, org_admin)(action)

    assert directory.writes[0].content.decode().split('"')[3] in told.text
    assert str(AuditEntry.objects.current().get().note) in told.text


@pytest.mark.parametrize(("status", "is_open"), [(500, True), (400, False)])
def test_call_api_says_that_a_write_may_have_happened(org_admin, directory, status, is_open):
    client = Client()
    client.force_login(org_admin)
    directory.answers = [httpx.Response(status, json=error("UNEXPECTED_ERROR"))]
    data = {"method": "DELETE", "path": f"/users/{ADA}", "reason": "Asked for", "submission": str(uuid4())}

    text = unescape(client.post("/o/acme/call-api/", data | {"media_type": "application/json"}).content.decode())

    assert outcome() == ("unknown" if is_open else "failed")
    assert ("the change may have been made" in text) == is_open
