"""The `pingone` command: the catalogue on a terminal, with the same checks and audit, and exit codes by outcome."""

import io
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command

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


@pytest.mark.parametrize(("found", "told"), [([], "no user"), ([ada(), bo()], "more than one")])
def test_user_option_with_no_or_several_matches_is_refused(helpdesk, pingone, found, told):
    pingone.get("/users").respond(json=listing("users", *found))

    with pytest.raises(CommandError, match=told):
        run("user.unlock", "--user", "ada")


def test_only_the_given_options_are_changed(helpdesk, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
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
    action = replace(BY_KEY["device.rename"], secret_inputs=frozenset({"nickname"}))
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
