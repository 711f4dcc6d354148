"""Invitations: accepted once, by the invited person alone, and void once nobody may grant them."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry, Invitation, Membership, Operator, Organization, OutgoingEmail
from console.operators import invitations
from tests.support.outbox import sent_emails
from tests.support.people import invite, make_operator
from tests.support.small_environment import browser

pytestmark = pytest.mark.database

PAGE = "/o/acme/settings/members/"
PASSWORD = "a long new password"
NEW = {"name": "New <b>Agent</b>", "password1": PASSWORD, "password2": PASSWORD}
DEAD = "This invitation doesn"

BrowserOf = Callable[[Operator], Client]


@pytest.fixture
def admin(browser_of: BrowserOf, org_admin: Operator) -> Client:
    return browser_of(org_admin)


def add(client: Client, email: str, role: str = "helpdesk_agent", name: str = "") -> str:
    return client.post(PAGE, {"email": email, "name": name, "role": role}, follow=True).content.decode()


def mailed_link() -> str:
    found = re.search(r"http://localhost(/invitations/\S+)", str(sent_emails()[-1].body))
    assert found
    return found[1]


def roles(organization: Organization) -> dict[str, str]:
    return dict(organization.memberships.values_list("operator__email", "role"))


def events() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("sequence").values_list("action", "subject_name"))


def is_alive(link: str) -> bool:
    return Client().get(link).status_code == 200


def is_dead(link: str) -> bool:
    """Return whether the link is answered as one that nobody was sent, also when it is pressed."""
    unknown = Client().get("/invitations/made-up/")
    answers = [Client().get(link), Client().post(link, NEW)]
    same = [re.sub(r"nonce=\"\S+\"", "", one.content.decode()) for one in (unknown, *answers)]
    return {one.status_code for one in answers} == {404} and len({DEAD in one for one in same}) == 1


def test_invited_person_chooses_a_password_and_is_a_member_and_signed_in(admin: Client, acme: Organization) -> None:
    assert "Invited new.agent@acme.test by email." in add(admin, "New.Agent@acme.test")
    assert "new.agent@acme.test" not in roles(acme)  # and so nothing of their account is shown here
    newcomer, link = Client(), mailed_link()
    assert sent_emails()[0].to == ["new.agent@acme.test"]
    assert "Join Acme" in newcomer.get(link).content.decode()

    joined = newcomer.post(link, NEW)

    assert joined.status_code == 302
    assert newcomer.get("/o/acme/").status_code == 200
    assert roles(acme)["new.agent@acme.test"] == "helpdesk_agent"
    assert Operator.objects.get(email="new.agent@acme.test").check_password(PASSWORD)
    assert is_dead(link)
    assert events() == [
        ("invitation.sent", "new.agent@acme.test"),
        ("membership.added", "new.agent@acme.test"),
        ("operator.signed-in", "new.agent@acme.test"),
    ]


@pytest.mark.parametrize(
    "typed",
    [
        {"password1": "password1234", "password2": "password1234"},
        {"password1": "rocketboots-2026", "password2": "rocketboots-2026"},
        {"password2": "another"},
        {"password1": ""},
    ],
    ids=["common", "of the organization's words", "two different ones", "none"],
)
def test_password_of_a_new_account_is_checked(acme: Organization, typed: dict[str, str]) -> None:
    link = invite("new@acme.test", to=acme)
    Organization.objects.filter(pk=acme.pk).update(password_words="Rocket boots, anvils")

    assert Client().post(link, NEW | typed).status_code == 422
    assert not Operator.objects.filter(email="new@acme.test").exists()
    assert Client().get(link).status_code == 200


def test_existing_account_accepts_signed_in_and_keeps_its_password_and_organizations(
    admin: Client, acme: Organization, globex: Organization, stranger: Operator
) -> None:
    add(admin, stranger.email.upper(), role="auditor")
    link, person = mailed_link(), Client()
    assert "/accounts/login/?next=/invitations/" in person.get(link).content.decode()
    assert person.post(link, NEW).status_code == 200  # nothing happens before they sign in
    assert stranger.email not in roles(acme)
    person.post("/accounts/login/", {"login": stranger.email, "password": "correct horse battery"})

    person.post(link)

    assert roles(acme)[stranger.email] == "auditor"
    assert roles(globex)[stranger.email] == "org_admin"
    stranger.refresh_from_db()
    assert stranger.check_password("correct horse battery")


def test_link_is_for_the_invited_address_alone(acme: Organization, helpdesk: Operator, stranger: Operator) -> None:
    """Whoever a link was passed on to would work under the eyes of an org admin who invited somebody else."""
    links = [invite("new@acme.test", to=acme), invite(stranger.email, to=acme)]
    other = browser(make_operator("other@mail.test"))
    for link in links:
        assert "signed in with another account" in other.get(link).content.decode()
        other.post(link, NEW)

    assert set(roles(acme)) == {"agent@acme.test", "admin@acme.test"}


def test_removed_person_signs_in_to_accept_an_invitation(acme: Organization) -> None:
    former = make_operator("former@acme.test")
    person, sign_in = Client(), {"login": former.email, "password": "correct horse battery"}
    assert person.post("/accounts/login/", sign_in).status_code == 403
    link = invite(former.email, to=acme)

    person.post("/accounts/login/", sign_in)
    person.post(link)

    assert person.get("/o/acme/").status_code == 200


def test_expired_used_withdrawn_and_unknown_links_look_alike_and_say_what_to_do(
    admin: Client, acme: Organization
) -> None:
    expired, withdrawn = invite("late@acme.test", to=acme), invite("gone@acme.test", to=acme)
    acme.invitations.filter(email="late@acme.test").update(expires_at=timezone.now() - timedelta(seconds=1))
    gone = acme.invitations.get(email="gone@acme.test")
    assert is_alive(withdrawn)

    told = admin.post(f"{PAGE}invitations/{gone.pk}/withdraw/", follow=True).content.decode()

    assert "Withdrew the invitation of gone@acme.test." in told
    assert is_dead(expired)
    assert is_dead(withdrawn)
    assert "ask whoever invited you to send it again" in " ".join(Client().get(expired).content.decode().split())
    assert "Expired." in admin.get(PAGE).content.decode()
    assert [action for action, _name in events()][-1] == "invitation.withdrawn"


def test_link_works_for_72_hours(acme: Organization) -> None:
    invite("new@acme.test", to=acme)
    invitation = acme.invitations.get()
    assert invitation.expires_at - invitation.sent_at == timedelta(hours=72)


def test_invitation_sent_again_has_a_new_link_and_the_old_one_is_dead(admin: Client, acme: Organization) -> None:
    add(admin, "new@acme.test")
    old = mailed_link()
    acme.invitations.update(expires_at=timezone.now())

    admin.post(f"{PAGE}invitations/{acme.invitations.get().pk}/send-again/")

    assert is_dead(old)
    assert "Join Acme" in Client().get(mailed_link()).content.decode()
    assert mailed_link() != old


@pytest.mark.parametrize("loss", ["removed", "suspended", "demoted", "the role is gone"])
def test_invitation_is_void_once_its_sender_may_not_grant_it(
    acme: Organization, org_admin: Operator, loss: str
) -> None:
    boss = make_operator("boss@acme.test", acme, Membership.Role.ORG_ADMIN)
    link = invite("accomplice@mail.test", "org_admin", to=acme)
    Invitation.objects.update(invited_by=boss)
    assert is_alive(link)
    theirs = boss.memberships
    match loss:
        case "removed":
            theirs.all().delete()
        case "suspended":
            theirs.update(suspended_at=timezone.now())
        case "demoted":
            theirs.update(role="auditor")
        case "the role is gone":
            Invitation.objects.update(role="night-desk")

    assert is_dead(link)
    assert "accomplice@mail.test" not in roles(acme)


def test_link_is_shown_once_to_the_org_admin_where_no_mail_is_set_up(
    admin: Client, acme: Organization, settings: object
) -> None:
    settings.EMAIL_BACKEND = "console.outbox.log.EmailBackend"  # type: ignore[attr-defined]

    shown = add(admin, "new@acme.test")

    link = re.search(r"http://localhost(/invitations/[\w-]+/)", shown)
    assert link
    assert Client().post(link[1], NEW).status_code == 302
    assert not OutgoingEmail.objects.exists()
    assert "new@acme.test" in roles(acme)


def test_token_is_nowhere_in_the_database_but_sealed_in_the_email(admin: Client, acme: Organization) -> None:
    add(admin, "new@acme.test")

    stored = str([list(model.objects.values()) for model in (Invitation, OutgoingEmail, AuditEntry)])

    assert mailed_link().split("/")[2] not in stored


def test_person_is_not_invited_twice(admin: Client, acme: Organization, helpdesk: Operator) -> None:
    assert "is already a member" in add(admin, helpdesk.email, role="org_admin")
    add(admin, "new@acme.test")
    assert "is already invited" in add(admin, "NEW@acme.test", role="auditor")

    assert [(one.email, one.role) for one in acme.invitations.all()] == [("new@acme.test", "helpdesk_agent")]


@pytest.mark.parametrize("typed", [{"email": "nobody"}, {"email": "x@acme.test", "role": "god"}, {"email": ""}])
def test_invalid_form_invites_nobody(admin: Client, acme: Organization, typed: dict[str, str]) -> None:
    assert admin.post(PAGE, {"role": "auditor"} | typed).status_code == 422
    assert not acme.invitations.exists()


@pytest.mark.django_db(transaction=True)
def test_link_pressed_twice_at_once_makes_one_account(acme: Organization, org_admin: Operator) -> None:
    token = invite("new@acme.test", to=acme).split("/")[2]
    both, outcomes = Barrier(2), []

    def accept() -> None:
        both.wait()
        try:
            invitations.accept_with_new_account(token, "", PASSWORD, source_address="")
            outcomes.append("joined")
        except invitations.Void:
            outcomes.append("void")
        finally:
            connection.close()

    threads = [Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["joined", "void"]
    assert acme.memberships.count() == 2
