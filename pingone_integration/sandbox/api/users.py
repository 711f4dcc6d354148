"""`users`: creating, reading, listing, changing and deleting users."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from pingone_integration.sandbox import cursors, encoded_passwords, errors, filters, mail
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, created, no_content, permits
from pingone_integration.sandbox.api.user_body import disabled_attributes, listed_user_body, user_body
from pingone_integration.sandbox.filters import All, AnyOf, Comparison, Node
from pingone_integration.sandbox.memberships import memberships_of
from pingone_integration.sandbox.models import Population, User
from pingone_integration.sandbox.search.conditions import supported
from pingone_integration.sandbox.search.groups import expand
from pingone_integration.sandbox.search.plan import Plan, Position, Row, make_plan
from pingone_integration.sandbox.validation import ProfileCheck

PAGE, MAXIMUM_PAGE = 200, 1000


@permits("dir:read:user")
def list_users(call: Call) -> dict[str, Any]:
    plan = _plan(call)
    listing, limit = lists.listing_of(call), call.limit(default=PAGE, maximum=MAXIMUM_PAGE)
    rows, earlier, later = _rows(call, plan, listing, limit)
    hidden = disabled_attributes(call)
    body = lists.envelope(call, "users", [listed_user_body(call, row.user, hidden) for row in rows])
    count = plan.count()
    if count is not None:
        body["count"] = count
    for name, row, backwards in (("prev", earlier, True), ("next", later, False)):
        if row is not None:
            position = [backwards, row.position.branch, *row.position.key]
            body["_links"][name] = lists.link_to(call, cursors.seal(call.caller.token_id, listing, position))
    return body


def _plan(call: Call) -> Plan:
    condition: Node | None = None
    if call.query.get("filter"):
        condition = filters.parse(call.query["filter"], supported(call.environment.id))
        condition = expand(condition, call.environment.id)
    if call.reach.populations is not None:
        own = AnyOf(tuple(Comparison("population.id", "eq", str(one)) for one in sorted(call.reach.populations)))
        condition = All((own, condition)) if condition else own
    return make_plan(call.environment.id, condition)


def _rows(call: Call, plan: Plan, listing: str, limit: int) -> tuple[list[Row], Row | None, Row | None]:
    """Return the page, and the rows at which the `prev` and `next` links start, or None if there is no link."""
    if not call.query.get("cursor"):
        rows = plan.rows_after(None, limit + 1)
        return rows[:limit], None, rows[limit - 1] if len(rows) > limit else None
    backwards, branch, *key = cursors.unseal(call.query["cursor"], call.caller.token_id, listing)
    position = Position(branch, tuple(key))
    if backwards:
        rows = plan.rows_before(position, limit + 1)
        page = rows[:limit][::-1]
        return page, page[0] if len(rows) > limit else None, page[-1] if page else None
    rows = plan.rows_after(position, limit + 1)
    page = rows[:limit]
    return page, page[0] if page else None, page[-1] if len(rows) > limit else None


@permits("dir:read:user")
def read_user(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    body = user_body(call, user)
    ids, names = (call.wants("include", f"memberOfGroup{one}") for one in ("IDs", "Names"))
    if ids or names:
        memberships = memberships_of(user)
        if ids:
            body["memberOfGroupIDs"] = [str(membership.group.id) for membership in memberships]
        if names:
            body["memberOfGroupNames"] = [membership.group.name for membership in memberships]
    return body


@permits("dir:create:user")
def create_user(call: Call) -> HttpResponse:
    body = call.body()
    user = _new_user(call, body)
    _save(user, "USER.CREATED", call)
    return created(user_body(call, user))


@permits("dir:import:user")
def import_user(call: Call) -> HttpResponse:
    """Create a user with import-only fields: password, lifecycle and `emailVerified`."""
    body = call.body()
    user = _new_user(call, body)
    user.email_verified = body.get("emailVerified") is True
    lifecycle, password = (body.get(name) or {} for name in ("lifecycle", "password"))
    if lifecycle.get("status") == "VERIFICATION_REQUIRED":
        user.lifecycle_status = "VERIFICATION_REQUIRED"
        user.verification_code = mail.new_code()
    if password.get("value"):
        user.password = encoded_passwords.stored(str(password["value"]), "password.value")
        must_change = password.get("forceChange") is True
        user.password_status = User.PasswordStatus.MUST_CHANGE_PASSWORD if must_change else User.PasswordStatus.OK
        user.password_changed_at = call.now
    _save(user, "USER.CREATED", call)
    if user.verification_code and lifecycle.get("suppressVerificationCode") is not True:
        mail.send(user, "Verify your account", f"Your verification code is {user.verification_code}.")
    return created(user_body(call, user))


@permits("dir:update:user")
def patch_user(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    return _change(call, user, ProfileCheck(call.environment, user).merged(call.body()))


@permits("dir:update:user")
def replace_user(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    return _change(call, user, ProfileCheck(call.environment, user).replaced(call.body()))


@permits("dir:delete:user")
def delete_user(call: Call, user_id: UUID) -> HttpResponse:
    user = call.user(user_id)
    record(call, "USER.DELETED", "User deleted", user)
    user.delete()
    return no_content()


def _new_user(call: Call, body: dict[str, Any]) -> User:
    profile = ProfileCheck(call.environment).replaced(body)
    return User(
        environment=call.environment,
        population=_population(call, body.get("population")),
        profile=profile,
        mfa_enabled=body.get("mfaEnabled") is True,
        created_at=call.now,
        updated_at=call.now,
    )


def _population(call: Call, sent: Any) -> Population:
    """Return the population named in the request, or the environment's default."""
    populations = Population.objects.filter(environment=call.environment)
    if sent is None:
        population = populations.filter(default=True).first()
        if population is None:
            raise errors.required_value("population")
    else:
        population = named_population(populations.all(), sent)
    if not call.reach.covers(population.id):
        raise errors.not_allowed()
    return population


def named_population(populations: Any, sent: Any) -> Population:
    """Return the population of `{"id": "..."}`. Raises INVALID_VALUE."""
    try:
        population: Population | None = populations.filter(id=UUID(sent["id"])).first()
    except (TypeError, KeyError, ValueError, AttributeError):
        population = None
    if population is None:
        raise errors.invalid_value("population.id", "There is no such population.")
    return population


def _change(call: Call, user: User, profile: dict[str, Any]) -> dict[str, Any]:
    if profile.get("email") != user.profile.get("email"):
        user.email_verified = False
        user.email_verification_code = ""
    user.profile = profile
    user.updated_at = call.now
    _save(user, "USER.UPDATED", call)
    return user_body(call, user)


def _save(user: User, action: str, call: Call) -> None:
    user.save()
    record(call, action, action.replace(".", " ").capitalize(), user)
