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
from console.audit import system_user
from console.management.pingone import actions as command
from console.management.pingone import terminal
from console.models import AuditEntry, ProtectedMark, TicketPolicy
from console.rights.roles import Rights
from tests.support.answers import ADA, HOSTILE_NAMES, ada, bo, error, listing
from tests.support.asking import DEVICE
from tests.support.narrowed import narrow
from tests.support.rights import give


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
        (httpx.Response(403, json=error("ACCESS_FAILED")), terminal.FAILED, "failed"),
        (httpx.ReadTimeout("too late"), terminal.UNKNOWN, "unknown"),
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

    assert by_name.value.returncode == code == terminal.FAILED
    assert by_id["kind"] == "target-not-found"


def test_show_is_refused_to_a_stranger_and_without_the_permission_to_view_users(
    helpdesk, stranger, pingone, monkeypatch
):
    monkeypatch.setattr(OrgAccess, "permissions", frozenset({Permission.ENTER}))

    for operator in (helpdesk, stranger):
        with pytest.raises(CommandError) as refused:
            run("show", "--user", str(ADA), operator=operator.email)
        assert refused.value.returncode == terminal.REFUSED
    assert not pingone.calls


def test_get_prints_the_values_of_a_user(auditor, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(title="Field\x1b[31m engineer"))

    told = run("user.get", "--user", str(ADA), operator=auditor.email).splitlines()
    code, as_json = run_json("user.get", "--user", str(ADA), operator=auditor.email)

    assert f"id: {ADA}" in told
    assert "username: ada.berg" in told
    assert "title: Field" in str(told)
    assert all(line.isprintable() for line in told)
    assert not [line for line in told if line.endswith(": ")]
    assert (code, as_json["email"], as_json["enabled"]) == (0, "ada.berg@acme.test", True)


def test_get_of_a_protected_user_is_on_record_once(auditor, acme, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    ProtectedMark.objects.create(organization=acme, kind="user", target_id=ADA, reason="Chair", marked_by=auditor)

    run("user.get", "--user", str(ADA), operator=auditor.email)
    run("user.get", "--user", str(ADA), operator=auditor.email)

    assert [entry.action for entry in AuditEntry.objects.all()] == ["user.protected-page-read"]


def test_list_finds_users_as_the_page_does_and_tells_the_way_on(auditor, pingone):
    wire = pingone.get("/users").respond(json=listing("users", ada(), bo(), cursor="opaque", count=3))

    told = run("user.list", "--q", "berg", "--enabled", "true", operator=auditor.email).splitlines()
    cursor = told[-1].removeprefix("More: --cursor ")
    code, as_json = run_json("user.list", "--limit", "25", "--cursor", cursor, operator=auditor.email)

    assert told[0].split("\t") == ["id", "username", "email", "name", "population", "enabled"]
    assert [line.split("\t")[1] for line in told[1:3]] == ["ada.berg", "bo.ek"]
    assert "enabled eq true" in wire.calls[0].request.url.params["filter"]
    assert (wire.calls[1].request.url.params["limit"], wire.calls[1].request.url.params["cursor"]) == ("25", "opaque")
    assert (code, next(row["id"] for row in as_json["users"]), as_json["next_cursor"]) == (0, str(ADA), cursor)


def test_list_refuses_a_filter_that_is_none(auditor, pingone):
    with pytest.raises(CommandError, match="--population") as refused:
        run("user.list", "--population", "Acme", operator=auditor.email)

    assert refused.value.returncode == terminal.INVALID


def test_groups_are_listed_by_the_beginning_of_their_name(auditor, pingone):
    group = {"id": str(DEVICE), "name": "VPN \u202e", "directMemberCounts": {"users": 7}}
    wire = pingone.get("/groups").respond(json=listing("groups", group))

    told = run("group.list", "--q", "VPN", operator=auditor.email).splitlines()

    assert wire.calls.last.request.url.params["filter"] == 'name sw "VPN"'
    assert told[1].split("\t")[:2] == [str(DEVICE), "VPN \\u202e"]
    assert told[-1] == "1 groups"


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("user.get", ("--user", str(ADA))), ("user.list", ()), ("group.list", ())],
)
def test_reads_need_the_permission_to_view_users(helpdesk, stranger, pingone, monkeypatch, kind, arguments):
    monkeypatch.setattr(OrgAccess, "permissions", frozenset({Permission.ENTER}))

    for operator in (helpdesk, stranger):
        with pytest.raises(CommandError) as refused:
            run(kind, *arguments, operator=operator.email)
        assert refused.value.returncode == terminal.REFUSED
    assert not pingone.calls


def test_reads_show_a_narrowed_operator_nobody_else(helpdesk, pingone):
    narrow(helpdesk, DEVICE)
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get("/users").respond(json=listing("users", ada()))

    with pytest.raises(CommandError) as refused:
        run("user.get", "--user", str(ADA))

    assert refused.value.returncode == terminal.FAILED
    assert run("user.list").splitlines() == ["0 users"]


@pytest.mark.parametrize(
    ("by", "page"),
    [
        ("role", f"https://console.acme.test/o/acme/users/{ADA}/actions/user.unlock/"),
        ("mark", f"https://console.acme.test/o/acme/users/{ADA}/actions/user.deactivate/"),
        ("new user", "https://console.acme.test/o/acme/users/new/"),
    ],
)
def test_command_that_asks_for_a_fresh_sign_in_prints_the_address_of_its_page(
    org_admin, helpdesk, acme, pingone, settings, by, page
):
    settings.PUBLIC_URL = "https://console.acme.test"
    arguments: tuple[str, ...] = ("user.unlock", "--user", str(ADA))
    operator = helpdesk
    if by == "mark":
        ProtectedMark.objects.create(organization=acme, kind="user", target_id=ADA, reason="Chair", marked_by=org_admin)
        pingone.get(f"/users/{ADA}").respond(json=ada())
        arguments, operator = ("user.deactivate", "--user", str(ADA), "--reason", "Left"), org_admin
    else:
        demanding = frozenset({"fresh sign-in"})
        give(helpdesk, Rights(actions={"user.unlock": demanding, "user.create": demanding}))
    if by == "new user":
        arguments = ("user.create", "--username", "cy")

    with pytest.raises(CommandError, match="Sign in again") as refused:
        run(*arguments, operator=operator.email)
    code, as_json = run_json(*arguments, operator=operator.email)

    assert str(refused.value).endswith(f"Do this on its page: {page}")
    assert (refused.value.returncode, code, as_json["page"]) == (terminal.REFUSED, terminal.REFUSED, page)
    assert {entry.outcome for entry in AuditEntry.objects.all()} == {"refused"}


def test_record_names_the_server_account_beside_the_operator(helpdesk, auditor, org_admin, browser_of, pingone):
    """Whoever runs commands may name any operator; a name in the environment is no proof of another one."""
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.post(f"/users/{ADA}").respond(json={})
    account = system_user.of_process()
    run("user.unlock", "--user", str(ADA))
    with pytest.raises(CommandError):
        run("user.unlock", "--user", str(ADA), operator=auditor.email)
    browser_of(helpdesk).post(f"/o/acme/users/{ADA}/actions/user.unlock/", {"submission": str(DEVICE)})

    ran, closed, refused, *of_page = AuditEntry.objects.order_by("sequence")

    assert {ran.system_user, closed.system_user, refused.system_user} == {account}
    assert {entry.system_user for entry in of_page} == {""}
    page = browser_of(org_admin).get(f"/o/acme/audit/{ran.entry}/").text
    assert f"by the server's user <bdi>{account}</bdi>" in " ".join(page.replace("&#x27;", "'").split())


def test_account_without_a_name_is_recorded_by_its_number(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4_000_123)
    monkeypatch.setenv("LOGNAME", "somebody.else")

    assert system_user.of_process() == "uid 4000123"
