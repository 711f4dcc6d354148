"""The `pingone` command: the catalogue on a terminal, with the same checks and audit, and exit codes by outcome."""

import io
import json
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from console.access import OrgAccess, Permission
from console.actions.catalogue import ACTIONS, BY_KEY
from console.management.commands import pingone as command
from console.models import AuditEntry, TicketPolicy
from tests.support.answers import ADA, HOSTILE_NAMES, ada, bo, error, listing
from tests.support.asking import DEVICE


def run(*arguments: str, operator: str = "agent@acme.test") -> str:
    output = io.StringIO()
    call_command("pingone", "acme", *arguments, "--as", operator, stdout=output)
    return output.getvalue()


def run_json(*arguments: str, operator: str = "agent@acme.test") -> tuple[int, dict[str, Any]]:
    output = io.StringIO()
    code = 0
    try:
        call_command("pingone", "acme", *arguments, "--as", operator, "--json", stdout=output)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(output.getvalue())


@pytest.mark.parametrize(
    ("name", "condition"),
    [("ada.berg", 'username eq "ada.berg"'), ("ada.berg@acme.test", 'email eq "ada.berg@acme.test"')],
)
def test_user_option_accepts_username_or_email(helpdesk, pingone, name, condition):
    search = pingone.get("/users").respond(json=listing("users", ada()))
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.post(f"/users/{ADA}").respond(json={})

    run("user.unlock", "--user", name)

    assert search.calls.last.request.url.params["filter"] == condition


@pytest.mark.parametrize(
    ("found", "told"), [([], "No user found for ada"), ([ada(), bo()], "ada matches more than one user")]
)
def test_user_option_with_no_or_several_matches_is_refused(helpdesk, pingone, found, told):
    pingone.get("/users").respond(json=listing("users", *found))

    with pytest.raises(CommandError, match=told):
        run("user.unlock", "--user", "ada")


def test_only_the_given_options_are_changed(helpdesk, pingone):
    users = (httpx.Response(200, json=user) for user in chain([ada(), ada()], repeat(ada(title="Chief"))))
    pingone.get(f"/users/{ADA}").mock(side_effect=users)
    wire = pingone.patch(f"/users/{ADA}").respond(json=ada(title="Chief"))

    run("user.update", "--user", str(ADA), "--title", "Chief")

    assert wire.calls.last.request.content == b'{"title":"Chief"}'


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        (httpx.Response(403, json=error("ACCESS_FAILED")), command.FAILED, "failed"),
        (httpx.ReadTimeout("too late"), command.UNKNOWN, "unknown"),
    ],
)
def test_exit_code_and_json_state_the_outcome(helpdesk, pingone, answer, code, outcome):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.post(f"/users/{ADA}").mock(side_effect=[answer, answer])

    assert run_json("user.unlock", "--user", str(ADA))[0] == code
    assert run_json("user.unlock", "--user", str(ADA))[1]["outcome"] == outcome


def test_json_of_a_success_has_the_values_before_and_after(helpdesk, pingone):
    pingone.get(f"/users/{ADA}").mock(
        side_effect=[httpx.Response(200, json=state) for state in (ada(), ada(enabled=False))]
    )
    pingone.put(f"/users/{ADA}/enabled").respond(json={})

    code, told = run_json("user.deactivate", "--user", str(ADA))

    assert (code, told["outcome"], told["before"], told["after"]) == (
        0,
        "succeeded",
        {"enabled": True},
        {"enabled": False},
    )


def test_missing_ticket_is_reported_before_the_action(helpdesk, acme, pingone):
    TicketPolicy.objects.create(organization=acme, action="user.unlock", requirement="required")

    with pytest.raises(CommandError, match="--ticket") as raised:
        run("user.unlock", "--user", str(ADA))

    assert raised.value.returncode == 2


def test_deletion_needs_the_username(org_admin, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())

    with pytest.raises(CommandError, match="not the username"):
        run("user.delete", "--user", str(ADA), "--username", "bo.ek", operator=org_admin.email)


def test_secret_is_read_only_from_standard_input(helpdesk, pingone, monkeypatch):
    action = replace(BY_KEY["device.rename"], secret_inputs=frozenset({"nickname"}), effect=None)
    monkeypatch.setattr(command, "ACTIONS", [action])
    monkeypatch.setattr("sys.stdin", io.StringIO("what nobody sees\n"))
    device = str(DEVICE)
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/users/{ADA}/devices/{device}").respond(json={"id": device, "type": "TOTP"})
    wire = pingone.put(f"/users/{ADA}/devices/{device}/nickname").respond(json={})

    run("device.rename", "--user", str(ADA), "--device-id", device)

    assert b"what nobody sees" in wire.calls.last.request.content
    assert "what nobody sees" not in str(list(AuditEntry.objects.values()))
    with pytest.raises(CommandError, match="unrecognized"):
        run("device.rename", "--user", str(ADA), "--device-id", device, "--nickname", "on the command line")


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_hostile_name_is_printed_safely(helpdesk, pingone, name):
    pingone.get(f"/users/{ADA}").mock(return_value=httpx.Response(200, content=json.dumps(ada(username=name))))
    pingone.post(f"/users/{ADA}/password").respond(json={})

    output = run("password.send-recovery-code", "--user", str(ADA))

    assert all(character.isprintable() for character in output.rstrip("\n"))
    assert run_json("password.send-recovery-code", "--user", str(ADA))[1]["outcome"] == "succeeded"


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
def test_help_is_generated_from_the_catalogue(action, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("pingone", "acme", action.key, "--help")

    told = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert str(action.does) in told
    assert "--ticket" in told


@pytest.fixture
def ada_at_pingone(pingone):
    """Return a function that mocks all reads of `show`."""

    def answer(
        *, password="OK", bypass=None, devices=({"id": str(DEVICE), "type": "SMS", "status": "ACTIVE"},), **user
    ):
        pingone.get(f"/users/{ADA}").respond(json=ada(**user))
        pingone.get(f"/users/{ADA}/password").respond(json={"status": password})
        pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", *devices))
        pingone.get(f"/users/{ADA}/bypassMFA").respond(json={"bypassMFAEnabledUntil": bypass})

    return answer


def test_show_prints_the_verdict_of_the_user_page(auditor, browser_of, ada_at_pingone, pingone):
    ada_at_pingone()
    for panel in ("memberOfGroups", "sessions"):
        pingone.get(f"/users/{ADA}/{panel}").respond(json=listing(panel))
    page = browser_of(auditor).get(f"/o/acme/users/{ADA}/?panels=all")

    told = run("show", "--user", str(ADA), operator=auditor.email)

    verdict = page.context["standing"]
    assert verdict.sentence == "They can sign in."
    assert told.splitlines() == [
        "Ada Berg, ada.berg, ada.berg@acme.test",
        verdict.sentence,
        *(f"- {fact}" for fact in verdict.facts),
        "Times are in UTC.",
    ]
    assert not AuditEntry.objects.exists()


def test_show_tells_a_lock_and_the_actions_that_help(helpdesk, ada_at_pingone):
    ada_at_pingone(account={"status": "LOCKED", "unlockAt": "2031-01-01T00:00:00.000Z"}, password="PASSWORD_LOCKED_OUT")

    told = run("show", "--user", str(ADA))
    code, as_json = run_json("show", "--user", str(ADA))

    assert "\nLocked. " in told
    assert "1 Jan 2031 at 00:00" in told
    assert "\n- Password locked" in told
    assert "\nWhat helps: Unlock account (user.unlock)\nWhat helps: Unlock password (password.unlock)\n" in told
    assert (code, as_json["can_sign_in"]) == (0, "no")
    assert as_json["sentence"] in told
    assert as_json["helps"] == ["user.unlock", "password.unlock", "password.set-temporary"]


def test_show_is_english_in_any_language(helpdesk, ada_at_pingone):
    ada_at_pingone(enabled=False)
    in_english = run("show", "--user", str(ADA))

    with translation.override("en-xa"):
        assert run("show", "--user", str(ADA)) == in_english


def test_show_names_no_action_that_the_operator_may_not_run(auditor, ada_at_pingone):
    ada_at_pingone(enabled=False, bypass="2031-01-01T00:00:00.000Z")

    told = run("show", "--user", str(ADA), operator=auditor.email)

    assert "Deactivated." in told
    assert "- MFA bypass" in told
    assert "What helps" not in told


def test_show_tells_which_parts_could_not_be_read(helpdesk, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    for part in ("password", "devices", "bypassMFA"):
        pingone.get(f"/users/{ADA}/{part}").respond(403, json=error("ACCESS_FAILED"))

    code, told = run_json("show", "--user", str(ADA))

    assert (code, told["can_sign_in"]) == (0, "unknown")
    assert "Password and MFA could not be read." in told["sentence"]


def test_show_of_an_unknown_user_fails(helpdesk, pingone):
    pingone.get("/users").respond(json=listing("users"))
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))

    with pytest.raises(CommandError, match="No user found for ada") as by_name:
        run("show", "--user", "ada")
    code, by_id = run_json("show", "--user", str(ADA))

    assert by_name.value.returncode == code == command.FAILED
    assert by_id["kind"] == "target-not-found"


def test_show_is_refused_to_a_stranger_and_without_the_permission_to_view_users(
    helpdesk, stranger, pingone, monkeypatch
):
    monkeypatch.setattr(OrgAccess, "permissions", frozenset({Permission.ENTER}))

    for operator in (helpdesk, stranger):
        with pytest.raises(CommandError) as refused:
            run("show", "--user", str(ADA), operator=operator.email)
        assert refused.value.returncode == command.REFUSED
    assert not pingone.calls
