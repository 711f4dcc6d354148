"""Actions on a user's profile and population."""

from uuid import UUID

from console.access import Permission
from console.actions import observed
from console.actions.action import Action, Json, Place, Undo
from console.actions.choices import other_populations, populations_to_choose
from console.actions.forms import PopulationForm
from console.actions.profile_forms import EditUserForm, NewUserForm
from pingone_integration import profiles, users
from pingone_integration.profiles import Written


def _former_values(before: Json, inputs: Json) -> Json:
    return {"changes": {name: before[name] for name in inputs["changes"]}}


def _former_population(before: Json, inputs: Json) -> Json:
    return {"population_id": UUID(before["population_id"])}


def _note_of(written: Written) -> str:
    """Return a note on the attributes that PingOne silently dropped, as the environment's schema lacks them."""
    return f"PingOne did not take: {', '.join(written.not_taken)}." if written.not_taken else ""


ACTIONS = (
    Action(
        key="user.create",
        label="Create user",
        done="User created",
        does="Creates a user in the population, able to sign on as soon as they have a password.",
        leaves="Sets no password and sends no mail.",
        permission=Permission.CREATE_USERS,
        call=profiles.create,
        form=NewUserForm,
        options={"population_id": populations_to_choose},
        place=Place.ELSEWHERE,
        observe=observed.whole_profile,
        subject_of=lambda written: written.user,
        note_of=_note_of,
        is_complete=lambda written: not written.not_taken,
        bulk=True,
        endpoint="POST /users",
        pingone_permission="dir:create:user",
    ),
    Action(
        key="user.update",
        label="Edit profile",
        submit="Save",
        done="Profile changed",
        already="had these values already",
        does="Changes the attributes that you edit.",
        leaves="Leaves every other attribute, the password and the groups as they are.",
        permission=Permission.UPDATE_USERS,
        call=profiles.update,
        form=EditUserForm,
        place=Place.PROFILE,
        observe=observed.changed_profile,
        effect=lambda inputs: dict(inputs["changes"]),
        note_of=_note_of,
        is_complete=lambda written: not written.not_taken,
        undo=Undo(
            action="user.update",
            inputs=_former_values,
        ),
        bulk=True,
        endpoint="PATCH /users/{user}",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.move",
        label="Move to another population",
        submit="Move",
        done="Moved to another population",
        already="was in this population already",
        does="Puts the user under the other population: its password policy and its administrators.",
        leaves="Keeps profile and password, but not the groups that belong to the old population.",
        permission=Permission.MOVE_USERS,
        call=users.move,
        form=PopulationForm,
        options={"population_id": other_populations},
        place=Place.PROFILE,
        observe=observed.of_user("population_id", "population_name"),
        effect=lambda inputs: {"population_id": inputs["population_id"]},
        undo=Undo(action="user.move", inputs=_former_population),
        bulk=True,
        panels=("groups", "password"),
        endpoint="PUT /users/{user}/population",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.verify-email",
        label="Verify e-mail",
        done="Verification mail sent",
        does="PingOne mails the user a code that proves the address; it is good for 24 hours.",
        leaves="Does not keep the user from signing on meanwhile.",
        permission=Permission.UPDATE_USERS,
        call=users.send_email_verification,
        place=Place.PROFILE,
        offered_to=lambda user: bool(user.email) and not user.email_verified,
        observe=observed.of_user("email", "email_verified"),
        bulk=True,
        endpoint="POST /users/{user}/emailVerification (user.emailVerification.send)",
        pingone_permission="dir:verify:user",
    ),
)
