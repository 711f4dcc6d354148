"""Actions on a user's profile and population."""

from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.actions import names, observed, population_groups
from console.actions.action import Action, Json, Place, Undo, always
from console.actions.choices import other_populations, populations_to_choose
from console.actions.edit_user_form import EditUserForm
from console.actions.forms import PopulationForm
from console.actions.profile_forms import NewUserForm
from console.rights.roles import CONTACTS
from pingone_integration import profiles, users
from pingone_integration.profiles import Written
from pingone_integration.texts import Text

_NOT_SAVED = _("PingOne did not save: {attributes}.")
_OF_A_NEW_USER = frozenset({"population.id", "enabled", "mfaEnabled"})
_PLAINER = _("PingOne cannot hold the invisible joiners in: {attributes}. They were left out.")


def _former_values(before: Json, inputs: Json) -> Json:
    return {"changes": {name: before[name] for name in inputs["changes"]}}


def _former_population(before: Json, inputs: Json) -> Json:
    return {"population_id": UUID(before["population_id"])}


def _note_of(written: Written) -> Text:
    """Return a note on the attributes that PingOne silently dropped, or could not hold as they were sent."""
    notes = [
        format_lazy(told, attributes=", ".join(attributes))
        for told, attributes in ((_NOT_SAVED, written.not_taken), (_PLAINER, written.without_joiners))
        if attributes
    ]
    return format_lazy(" ".join(["{}"] * len(notes)), *notes) if notes else ""


ACTIONS = (
    Action(
        key="user.create",
        label=_("Create user"),
        done=_("User created"),
        told=_("Created {user}."),
        does=_("Creates a user in the population. They can sign in as soon as they have a password."),
        leaves=_("Sets no password and sends no email."),
        permission=Permission.CREATE_USERS,
        call=profiles.create,
        attributes=lambda inputs: profiles.paths_of(inputs.get("profile", {})) | _OF_A_NEW_USER,
        form=NewUserForm,
        options={"population_id": populations_to_choose},
        place=Place.ELSEWHERE,
        observe=observed.whole_profile,
        subject_of=lambda written: written.user,
        note_of=_note_of,
        is_complete=lambda written: not written.not_taken,
        bulk=True,
        gives_access=always,
        written_fields=lambda inputs: inputs["profile"].keys() - NewUserForm.ALWAYS,
        endpoint="POST /users",
        pingone_permission="dir:create:user",
    ),
    Action(
        key="user.update",
        label=_("Edit profile"),
        submit=_("Save"),
        done=_("Profile changed"),
        told=_("Saved {user}'s profile."),
        already=_("{user} already had these values."),
        does=_("Changes the attributes that you edit."),
        leaves=_(
            "Keeps all other attributes, the password and the groups. A changed email address has to be verified, "
            "even if it is changed back."
        ),
        permission=Permission.UPDATE_USERS,
        call=profiles.update,
        attributes=lambda inputs: profiles.paths_of(inputs.get("changes", {})),
        needs_roles=False,
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
        gives_access=lambda inputs: not CONTACTS.isdisjoint(inputs["changes"]),
        written_fields=lambda inputs: inputs["changes"],
        endpoint="PATCH /users/{user}",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.move",
        label=_("Move to another population"),
        submit=_("Move"),
        done=_("Moved to another population"),
        told=_("Moved {user} to {population}."),
        already=_("{user} was already in {population}."),
        does=_("They follow the new population's password policy and are managed by its administrators."),
        leaves=_("Keeps the profile and password, but not the groups that belong to the old population."),
        permission=Permission.MOVE_USERS,
        call=users.move,
        attributes=frozenset({"population.id"}),
        form=PopulationForm,
        options={"population_id": other_populations},
        place=Place.PROFILE,
        names=names.population,
        losses=population_groups.losses,
        observe=population_groups.observe,
        effect=lambda inputs: {"population_id": inputs["population_id"]},
        undo=Undo(action="user.move", inputs=_former_population, then=population_groups.added_again),
        bulk=True,
        panels=("groups", "password"),
        gives_access=always,
        endpoint="PUT /users/{user}/population",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.verify-email",
        label=_("Verify email"),
        done=_("Verification email sent"),
        told=_("Sent a verification email to {user}."),
        failed=_("Could not send a verification email to {user}."),
        unsure=_("We do not know whether a verification email was sent to {user}."),
        does=_("PingOne emails them a code to verify the address. The code works for 24 hours."),
        leaves=_("Does not change whether they can sign in."),
        permission=Permission.UPDATE_USERS,
        call=users.send_email_verification,
        place=Place.PROFILE,
        offered_to=lambda user: bool(user.email) and not user.email_verified,
        observe=observed.of_user("email", "email_verified"),
        goes_by_answer=True,
        gives_access=always,
        endpoint="POST /users/{user}/emailVerification (user.emailVerification.send)",
        pingone_permission="dir:verify:user",
    ),
)
