"""Groups of every kind: static, dynamic, nested, of one population, external, and with administrator roles."""

from uuid import UUID, uuid5

from pingone_integration.sandbox.models import Group, GroupNesting, Role, RoleAssignment
from pingone_integration.sandbox.seed import fixtures

TEAMS = 40

ALL_HANDS = "All hands"
FIELD_ENGINEERS = UUID("7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910")
STATIC = {
    ALL_HANDS: "Every fifth invented user: the biggest group",
    "Field engineers": "Outdoor crew",
    "Platform engineers": "Indoor crew",
    "Engineering": "Holds no one itself: contains the two groups of engineers",
    "VPN": "May connect from outside",
    "<b>Bold</b> {{ 7*7 }} group": "Its name is hostile",
    "Empty": "",
}
DYNAMIC = {
    "Contractors": 'type eq "Contractor"',
    "Swedish staff": f'address.countryCode eq "SE" and population.id eq "{fixtures.STAFF_POPULATION_ID}"',
    "The Linds": 'name.family eq "Lind"',
}


def group_id(name: str) -> UUID:
    return FIELD_ENGINEERS if name == "Field engineers" else uuid5(fixtures.NAMESPACE, f"group:{name}")


def team_ids() -> list[UUID]:
    """Return the ids of the big group and then of the teams."""
    return [group_id(name) for name in (ALL_HANDS, *_team_names())]


def seed_groups() -> None:
    groups = [_group(name, description=about) for name, about in STATIC.items()]
    groups += [_group(name, description="A team") for name in _team_names()]
    groups += [_group(name, user_filter=condition) for name, condition in DYNAMIC.items()]
    groups += [
        _group("Partner portal", population_id=fixtures.PARTNERS_POPULATION_ID),
        _group("Service desk", description="Has a role: its members help others sign in again"),
        _group("From the directory", source_type="GATEWAY", source_id=uuid5(fixtures.NAMESPACE, "gateway")),
        Group(
            id=group_id("Identity team"),
            environment_id=fixtures.ADMINISTRATORS_ENVIRONMENT_ID,
            name="Identity team",
            description="Has a role in the first managed environment",
        ),
    ]
    Group.objects.bulk_create(groups)
    for inner in ("Field engineers", "Platform engineers"):
        GroupNesting.objects.create(member_id=group_id(inner), container_id=group_id("Engineering"))
    for name, role in (("Service desk", "Help Desk Admin"), ("Identity team", "Identity Data Admin")):
        RoleAssignment.objects.create(
            id=uuid5(fixtures.NAMESPACE, f"assignment:{name}"),
            role=Role.objects.get(name=role),
            group_id=group_id(name),
            scope_type=RoleAssignment.Scope.ENVIRONMENT,
            scope_id=fixtures.MANAGED_ENVIRONMENT_ID,
        )


def _team_names() -> list[str]:
    return [f"Team {number:02}" for number in range(1, TEAMS + 1)]


def _group(name: str, **columns: object) -> Group:
    return Group(id=group_id(name), environment_id=fixtures.MANAGED_ENVIRONMENT_ID, name=name, **columns)
