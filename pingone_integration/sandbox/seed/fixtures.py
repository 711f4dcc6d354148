"""Fixed ids, names and passwords: the same in every sandbox, so that demos and tests can use them."""

from dataclasses import dataclass
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1d0c2e-7b3a-4c5d-9e8f-0a1b2c3d4e5f")  # of every id derived from a name

ORGANIZATION_ID = UUID("9e8d7c6b-5a49-4838-a726-1504f3e2d1c0")
ADMINISTRATORS_ENVIRONMENT_ID = UUID("3a7c1e90-52b8-4d16-8f0a-6e4d2c1b0a99")
MANAGED_ENVIRONMENT_ID = UUID("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")
SECOND_ENVIRONMENT_ID = UUID("b2d4f6a8-1c3e-4a5b-9d7f-8e6c4a2b0d11")

ADMINISTRATORS_POPULATION_ID = UUID("e1f2a3b4-c5d6-4e7f-8a9b-0c1d2e3f4a5b")
STAFF_POPULATION_ID = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6")  # the default population
PARTNERS_POPULATION_ID = UUID("1e0f9a8b-2c3d-4e4f-9a01-b2c3d4e5f607")
CUSTOMERS_POPULATION_ID = UUID("2f1a0b9c-3d4e-4f5a-8b12-c3d4e5f60718")
SECOND_POPULATION_ID = UUID("3a2b1c0d-4e5f-4a6b-9c23-d4e5f6071829")

CLIENT_ID = UUID("7c6b5a49-3827-4160-9f8e-7d6c5b4a3928")
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - published on the sandbox's first page
SERVICE_CLIENT_ID = UUID("8d7c6b5a-4938-4271-8a9f-8e7d6c5b4a39")  # may use client_credentials
SERVICE_CLIENT_SECRET = "sandbox-service-secret"  # noqa: S105 - published on the sandbox's first page
REDIRECT_URIS = ("http://localhost:8000/connect/callback/", "http://127.0.0.1:8000/connect/callback/")

USER_PASSWORD = "Sandbox-2026!"  # noqa: S105 - every seeded user's, published on the sandbox's first page


@dataclass(frozen=True, kw_only=True)
class Administrator:
    """A person who can sign in to the Administrators environment."""

    username: str
    given: str
    family: str
    role: str  # name of a built-in role; empty: none
    scope_id: UUID  # of the environment or population the role is held on
    about: str
    password: str = USER_PASSWORD

    @property
    def id(self) -> UUID:
        return uuid5(NAMESPACE, f"administrator:{self.username}")


ADMINISTRATORS = (
    Administrator(
        username="ada.admin",
        given="Ada",
        family="Admin",
        role="Identity Data Admin",
        scope_id=MANAGED_ENVIRONMENT_ID,
        about="can do everything with users and groups of the first managed environment",
    ),
    Administrator(
        username="rosa.reader",
        given="Rosa",
        family="Reader",
        role="Identity Data Read Only",
        scope_id=MANAGED_ENVIRONMENT_ID,
        about="can read the first managed environment and change nothing; not admitted with Admin only access",
    ),
    Administrator(
        username="petra.partners",
        given="Petra",
        family="Partners",
        role="Identity Data Admin",
        scope_id=PARTNERS_POPULATION_ID,
        about="sees and changes the population Partners only",
    ),
    Administrator(
        username="henk.helpdesk",
        given="Henk",
        family="Helpdesk",
        role="Help Desk Admin",
        scope_id=MANAGED_ENVIRONMENT_ID,
        about="can unlock accounts and reset passwords, but no more; not admitted with Admin only access",
    ),
    Administrator(
        username="enno.environment",
        given="Enno",
        family="Environment",
        role="Environment Admin",
        scope_id=MANAGED_ENVIRONMENT_ID,
        about="can configure the first managed environment, but not see users' data",
    ),
    Administrator(
        username="ivan.identity",
        given="Ivan",
        family="Identity",
        role="Identity Data Admin",
        scope_id=ADMINISTRATORS_ENVIRONMENT_ID,
        about="can do everything with the administrators, and nothing in the managed environments",
    ),
    Administrator(
        username="nils.norole",
        given="Nils",
        family="Norole",
        role="",
        scope_id=MANAGED_ENVIRONMENT_ID,
        about="has no role, so PingOne does not let him sign in to an application for administrators",
    ),
)
