"""Actions that decide whether a user can sign in at all."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.actions import limits, observed
from console.actions.action import Action, Inputs, Place, Undo, always
from console.actions.forms import DeleteUserForm, UntilForm
from pingone_integration import unlocking, users
from pingone_integration.texts import Text
from pingone_integration.users import User

_LOCKED_FOR_LONGER = _("The account is already locked for longer. A shorter lock would let them in sooner.")


def _is_locked_for_longer(user: User, inputs: Inputs) -> Text:
    """Return why a lock must not be set: it would unlock the account, for which there is an action of its own."""
    is_shorter = user.is_locked and (user.unlock_at is None or user.unlock_at > inputs["until"])
    return _LOCKED_FOR_LONGER if is_shorter else ""


ACTIONS = (
    Action(
        key="user.activate",
        label=_("Activate"),
        done=_("User activated"),
        told=_("Activated {user}."),
        already=_("{user} was already active."),
        does=_("Lets them sign in again."),
        leaves=_("Does not lift a lock or change the password."),
        permission=Permission.ENABLE_USERS,
        call=users.activate,
        is_remedy=True,
        offered_to=lambda user: user.enabled is not True,
        attributes=frozenset({"enabled"}),
        observe=observed.of_user("enabled"),
        effect={"enabled": True},
        undo=Undo(action="user.deactivate"),
        bulk=True,
        gives_access=always,
        endpoint="PUT /users/{user}/enabled",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.deactivate",
        label=_("Deactivate"),
        done=_("User deactivated"),
        told=_("Deactivated {user}."),
        already=_("{user} was already deactivated."),
        does=_("They cannot sign in, and their apps cannot renew access."),
        leaves=_(
            "Keeps the profile, password, groups and MFA devices. Once activated again, they sign in to apps anew."
        ),
        permission=Permission.ENABLE_USERS,
        call=users.deactivate,
        offered_to=lambda user: user.enabled is not False,
        question=_("Deactivate {user}? They cannot sign in until someone activates them again."),
        observe=observed.of_user("enabled"),
        effect={"enabled": False},
        undo=Undo(action="user.activate"),
        bulk=True,
        panels=("sessions",),
        endpoint="PUT /users/{user}/enabled",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.unlock",
        label=_("Unlock account"),
        done=_("Account unlocked"),
        told=_("Unlocked {user}'s account."),
        already=_("{user}'s account was not locked."),
        does=_("Lifts the account lock and clears failed MFA attempts."),
        leaves=_("Does not change the password or lift a password lock."),
        permission=Permission.UNLOCK_USERS,
        call=unlocking.unlock_account,
        is_remedy=True,
        needs_roles=False,
        offered_to=lambda user: user.is_locked is not False,
        observe=observed.of_user("is_locked", "unlock_at"),
        effect={"is_locked": False},
        bulk=True,
        panels=("password",),
        gives_access=always,
        endpoint="POST /users/{user} (account.unlock)",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.lock",
        label=_("Lock until…"),
        title=_("Lock account"),
        done=_("Account locked"),
        told=_("Locked {user}'s account."),
        already=_("{user}'s account was already locked."),
        does=_("They cannot sign in until the time you choose. Then the lock ends by itself."),
        leaves=_("Does not deactivate them or end their open sessions."),
        permission=Permission.LOCK_USERS,
        call=users.lock,
        form=UntilForm,
        limits=limits.of_lock,
        offered_to=lambda user: user.enabled is not False and user.is_locked is not True,
        obstacle=_is_locked_for_longer,
        observe=observed.of_user("is_locked", "unlock_at"),
        effect={"is_locked": True},
        endpoint="POST /users/{user} (account.lock)",
        pingone_permission="dir:update:user",
    ),
    Action(
        key="user.delete",
        label=_("Delete user"),
        done=_("User deleted"),
        told=_("Deleted {user}."),
        already=_("{user} was already deleted."),
        does=_("Deletes them from PingOne, with profile, password, MFA devices and group memberships."),
        leaves=_("This cannot be undone. The audit log keeps its entries."),
        permission=Permission.DELETE_USERS,
        call=users.delete,
        form=DeleteUserForm,
        place=Place.PROFILE,
        question=_("Delete {user} from PingOne?"),
        observe=observed.existence,
        effect={"exists": False},
        endpoint="DELETE /users/{user}",
        pingone_permission="dir:delete:user",
    ),
)
