"""The demo's organizations and the operators who work there."""

from dataclasses import dataclass

PASSWORD = "try-the-console"  # noqa: S105 - printed by the demo, which listens on this machine alone


@dataclass(frozen=True)
class Person:
    """An operator to sign in as."""

    email: str
    name: str
    roles: dict[str, str]  # slug of the organization -> Membership.Role
    about: str


ORGANIZATIONS = {"acme": "Acme", "globex": "Globex"}
PEOPLE = (
    Person("admin@acme.test", "Alma Admin", {"acme": "org_admin"}, "org admin of Acme"),
    Person("agent@acme.test", "Hugo Helpdesk", {"acme": "helpdesk_agent"}, "helpdesk agent of Acme"),
    Person(
        "auditor@acme.test",
        "Aino Auditor",
        {"acme": "auditor", "globex": "auditor"},
        "auditor of Acme and Globex",
    ),
    Person("admin@globex.test", "Gus Globex", {"globex": "org_admin"}, "org admin of Globex"),
)
