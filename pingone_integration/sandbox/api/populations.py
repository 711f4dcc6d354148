"""`populations`: reading and changing populations."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from pingone_integration.sandbox import errors, filters
from pingone_integration.sandbox.activities import record_resource
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, created, iso, no_content, permits
from pingone_integration.sandbox.models import PasswordPolicy, Population

FILTERS = {"name": frozenset({"sw", "eq"}), "id": frozenset({"eq"})}
LOOKUPS = {"name": "name", "id": "id"}


def population_body(call: Call, population: Population, user_count: int | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "_links": {
            "self": {"href": call.url(f"populations/{population.id}")},
            "environment": {"href": call.url()},
            "users": {"href": call.url(f"users?filter=population.id%20eq%20%22{population.id}%22")},
        },
        "id": str(population.id),
        "environment": {"id": str(population.environment_id)},
        "name": population.name,
        "default": population.default,
        "passwordPolicy": {"id": str(population.password_policy_id)},
        "createdAt": iso(population.created_at),
        "updatedAt": iso(population.updated_at),
    }
    if user_count is not None:
        body["userCount"] = user_count
    if population.description:
        body["description"] = population.description
    if population.preferred_language:
        body["preferredLanguage"] = population.preferred_language
    if population.alternative_identifiers:
        body["alternativeIdentifiers"] = population.alternative_identifiers
    return body


@permits("dir:read:population")
def list_populations(call: Call) -> dict[str, Any]:
    rows = Population.objects.filter(environment=call.environment)
    if call.reach.populations is not None:
        rows = rows.filter(id__in=call.reach.populations)
    if call.query.get("filter"):
        rows = rows.filter(filters.as_q(filters.parse(call.query["filter"], FILTERS), LOOKUPS))
    return lists.page(call, "populations", rows, lambda row: _counted(call, row), order="name")


@permits("dir:read:population")
def read_population(call: Call, population_id: UUID) -> dict[str, Any]:
    return _counted(call, find_population(call, population_id))


@permits("dir:create:population")
def create_population(call: Call) -> HttpResponse:
    if call.reach.populations is not None:
        raise errors.not_allowed()
    population = Population(environment=call.environment)
    _fill(call, population)
    _record(call, "POPULATION.CREATED", population)
    return created(_counted(call, population))


@permits("dir:update:population")
def replace_population(call: Call, population_id: UUID) -> dict[str, Any]:
    population = find_population(call, population_id)
    _fill(call, population)
    _record(call, "POPULATION.UPDATED", population)
    return _counted(call, population)


@permits("dir:delete:population")
def delete_population(call: Call, population_id: UUID) -> HttpResponse:
    population = find_population(call, population_id)
    if population.default or population.users.exists():
        constraint = errors.detail("CONSTRAINT_VIOLATION", "id", "A default population and one with users stay.")
        raise errors.invalid_data(constraint)
    _record(call, "POPULATION.DELETED", population)
    population.delete()
    return no_content()


def find_population(call: Call, population_id: UUID) -> Population:
    """Return a population. Raises NOT_FOUND if it is outside the caller's reach."""
    population = Population.objects.filter(id=population_id, environment=call.environment).first()
    if population is None or not call.reach.covers(population.id):
        raise errors.not_found()
    return population


def _fill(call: Call, population: Population) -> None:
    body = call.body()
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise errors.required_value("name")
    namesakes = Population.objects.filter(environment=call.environment, name=name).exclude(pk=population.pk)
    if namesakes.exists():
        raise errors.already_in_use("name")
    population.name = name
    population.description = str(body.get("description") or "")
    population.preferred_language = str(body.get("preferredLanguage") or "")
    population.alternative_identifiers = list(body.get("alternativeIdentifiers") or [])
    population.password_policy = _policy(call, body.get("passwordPolicy"))
    if body.get("default") is True:
        Population.objects.filter(environment=call.environment, default=True).update(default=False)
        population.default = True
    population.updated_at = call.now
    population.save()


def _policy(call: Call, sent: Any) -> PasswordPolicy:
    policies = PasswordPolicy.objects.filter(environment=call.environment)
    if sent is None:
        return policies.get(default=True)
    chosen = [policy for policy in policies if isinstance(sent, dict) and str(policy.id) == sent.get("id")]
    if not chosen:
        raise errors.invalid_value("passwordPolicy", "There is no such password policy.")
    return chosen[0]


def _counted(call: Call, population: Population) -> dict[str, Any]:
    return population_body(call, population, population.users.count())


def _record(call: Call, action: str, population: Population) -> None:
    description = action.replace(".", " ").capitalize()
    record_resource(call, action, description, kind="POPULATION", resource_id=population.id, name=population.name)
