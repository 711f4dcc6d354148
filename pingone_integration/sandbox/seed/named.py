"""People written by hand, one for each state of a user. Their ids are the same in every sandbox."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from pingone_integration.sandbox.models import User
from pingone_integration.sandbox.seed import fixtures
from pingone_integration.sandbox.seed.names import HOSTILE, LONG

Status = User.PasswordStatus

JOINED = datetime(2026, 3, 2, 8, 11, 54, 207_000, tzinfo=UTC)
LAST_SEEN = datetime(2026, 11, 20, 6, 41, 12, 903_000, tzinfo=UTC)
FAR_AHEAD = datetime(2031, 1, 1, tzinfo=UTC)  # the end of locks that must not run out


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user: `profile` as in the API, without username and email; `state` overrides columns of the model."""

    username: str
    about: str
    profile: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    population_id: UUID = fixtures.STAFF_POPULATION_ID
    email: str | None = None  # None: username@acme.test; empty: no email

    @property
    def id(self) -> UUID:
        return MARA if self.username == "mara.lind" else uuid5(fixtures.NAMESPACE, f"user:{self.username}")

    @property
    def full_profile(self) -> dict[str, Any]:
        email = f"{self.username}@acme.test" if self.email is None else self.email
        return {"username": self.username, **({"email": email} if email else {}), **self.profile}


def _named(given: str, family: str, **more: Any) -> dict[str, Any]:
    return {"name": {"given": given, "family": family}, **more}


MARA = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21")
NEVER: dict[str, Any] = {"last_sign_on_at": None, "last_sign_on_ip": None}

PEOPLE = (
    Person(
        username="mara.lind",
        about="can sign in; has every attribute, MFA devices, sessions and groups",
        profile={
            "name": {
                "given": "Mara",
                "middle": "Elin",
                "family": "Lind",
                "formatted": "Dr. Mara Elin Lind",
                "honorificPrefix": "Dr.",
            },
            "nickname": "Mimi",
            "title": "Analyst",
            "type": "Employee",
            "mobilePhone": "+46.701234567",
            "primaryPhone": "+46.46123456",
            "locale": "sv-SE",
            "preferredLanguage": "sv, en;q=0.7",
            "timezone": "Europe/Stockholm",
            "address": {
                "streetAddress": "Stora Södergatan 1\nFloor 3",
                "locality": "Lund",
                "region": "Skåne",
                "postalCode": "222 23",
                "countryCode": "SE",
            },
            "accountId": "AC-1001",
            "externalId": "hr-1001",
            "photo": {"href": "https://acme.test/photos/mara.png"},
            "costCenter": "EU-1234",
            "employmentType": "permanent",
            "badgeNumber": "B-1001",
            "skills": ["SQL", "First aid"],
            "entitlements": {"vpn": True, "sites": ["Lund", "Leeds"]},
        },
        state={"mfa_enabled": True, "email_verified": True},
    ),
    Person(
        username="leo.locked",
        about="account locked until 2031",
        profile=_named("Leo", "Locked"),
        state={"locked": True, "locked_at": LAST_SEEN, "unlock_at": FAR_AHEAD},
    ),
    Person(
        username="lara.lockedout",
        about="account locked until an administrator unlocks it",
        profile=_named("Lara", "Lockedout"),
        state={"locked": True, "locked_at": None, "unlock_at": None},
    ),
    Person(
        username="paul.password",
        about="password locked after wrong passwords; account not locked",
        profile=_named("Paul", "Password"),
        state={"password_status": Status.PASSWORD_LOCKED_OUT, "password_unlock_at": FAR_AHEAD, "password_failures": 5},
    ),
    Person(
        username="dora.disabled", about="deactivated", profile=_named("Dora", "Disabled"), state={"enabled": False}
    ),
    Person(
        username="nora.never",
        about="never signed in; has no password",
        profile=_named("Nora", "Never"),
        state={"password": "", "password_status": Status.NO_PASSWORD, "password_changed_at": None, **NEVER},
    ),
    Person(
        username="vera.verify",
        about="must verify the account",
        profile=_named("Vera", "Verify"),
        state={"lifecycle_status": "VERIFICATION_REQUIRED", "verification_code": "VERIFY26", **NEVER},
    ),
    Person(
        username="mike.mustchange",
        about="must change the password at the next sign-in",
        profile=_named("Mike", "Mustchange"),
        state={"password_status": Status.MUST_CHANGE_PASSWORD},
    ),
    Person(
        username="eva.expired",
        about="password expired",
        profile=_named("Eva", "Expired"),
        state={"password_status": Status.PASSWORD_EXPIRED, "password_changed_at": JOINED - timedelta(days=400)},
    ),
    Person(
        username="emil.external",
        about="signs in with Google, so PingOne has no password",
        profile=_named("Emil", "External"),
        state={
            "identity_provider_id": uuid5(fixtures.NAMESPACE, "identity-provider:google"),
            "identity_provider_type": "GOOGLE",
            "password": "",
            "password_status": Status.EXTERNAL,
            "password_changed_at": None,
        },
    ),
    Person(
        username="bea.bypass",
        about="MFA on, bypassed until 2031",
        profile=_named("Bea", "Bypass"),
        state={"mfa_enabled": True, "bypass_mfa_until": FAR_AHEAD},
    ),
    Person(
        username="noah.nomail",
        about="no email address, so no code can be sent",
        profile=_named("Noah", "Nomail"),
        email="",
    ),
    Person(
        username="pia.partner",
        about="in the population Partners and in its group",
        profile=_named("Pia", "Partner"),
        population_id=fixtures.PARTNERS_POPULATION_ID,
    ),
    Person(
        username="archie.archived",
        about="has an archived value, and a value of a disabled attribute",
        profile=_named("Archie", "Archived", employmentType="trainee", faxNumber="+1 555 0100"),
    ),
    Person(username="noname", about="no name at all"),
    Person(
        username="بدر.علي", about="written from right to left", profile=_named("بدر", "علي"), email="badr@acme.test"
    ),
    Person(
        username="l" + "o" * 122 + "ng", about="every value is as long as PingOne allows",
        profile=_named(LONG[:256].strip(), LONG[:255].strip()[::-1], title="T" * 256, nickname="N" * 256),
        email=f"{'l' * 64}@{'o' * 60}.acme.test",
    ),
    *(
        Person(
            # Last in a list, so that a demo begins with ordinary people.
            username=f"zz.hostile.{number}" if text.strip() != text or len(text) < 5 else f"zz {text} {number}",
            about="every text is hostile",
            profile={
                "name": {"given": text, "middle": text, "family": text, "formatted": text},
                "nickname": text,
                "title": text,
                "type": text,
                "externalId": text,
                "address": {"streetAddress": text, "locality": text, "region": text},
                "costCenter": text,
                "skills": [text, text],
            },
            email=f"hostile{number}@acme.test",
        )
        for number, text in enumerate(HOSTILE)
    ),
)  # fmt: skip

# In the second managed environment. Its Mara Lind is a namesake that reveals mix-ups of the two.
SECOND_PEOPLE = (
    Person(
        username="mara.lind.test", about="of the other environment", profile=_named("Mara", "Lind"),
        population_id=fixtures.SECOND_POPULATION_ID,
    ),
    Person(
        username="tom.tester", about="of the other environment", profile=_named("Tom", "Tester"),
        population_id=fixtures.SECOND_POPULATION_ID,
    ),
)  # fmt: skip
