"""Actions for a user whose password does not work."""

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.actions import observed
from console.actions.action import Action, Place
from pingone_integration import passwords, unlocking

ACTIONS = (
    Action(
        key="password.send-recovery-code",
        label=_("Send recovery code"),
        done=_("Recovery code sent"),
        told=_("Sent a recovery code to {user}."),
        does=_("PingOne emails them a code to choose a new password. The code works for five minutes."),
        leaves=_("The current password works until then. Only they see the code."),
        permission=Permission.RECOVER_PASSWORDS,
        call=passwords.send_recovery_code,
        offered_to=lambda user: (
            user.enabled is not False and bool(user.email) and not user.has_external_identity_provider
        ),
        observe=observed.of_user("email"),
        goes_by_answer=True,
        bulk=True,
        panels=("password",),
        endpoint="POST /users/{user}/password (password.sendRecoveryCode)",
        pingone_permission="dir:recover:userPassword",
    ),
    Action(
        key="password.force-change",
        label=_("Force password change"),
        done=_("Password change forced"),
        told=_("Forced a password change for {user}."),
        already=_("{user} already had to change their password."),
        does=_("They must choose a new password the next time they sign in. A password lock ends."),
        leaves=_("The current password works until then, and open sessions continue."),
        permission=Permission.RECOVER_PASSWORDS,
        call=passwords.force_change,
        offered_to=lambda user: not user.has_external_identity_provider,
        observe=observed.password_state,
        effect={"password": "MUST_CHANGE_PASSWORD"},
        bulk=True,
        panels=("password",),
        endpoint="POST /users/{user}/password (password.forceChange)",
        pingone_permission="dir:forceChange:userPassword",
    ),
    Action(
        key="password.unlock",
        label=_("Unlock password"),
        done=_("Password unlocked"),
        told=_("Unlocked {user}'s password."),
        already=_("{user}'s password was not locked."),
        does=_("Clears the failed attempts and lifts the password lock."),
        leaves=_("Does not change the password."),
        permission=Permission.UNLOCK_USERS,
        call=unlocking.unlock_password,
        is_remedy=True,
        place=Place.PASSWORD,
        offered_to=lambda password: password.is_locked,
        observe=observed.password_lock,
        effect={"password_locked": False},
        bulk=True,
        panels=("password",),
        endpoint="POST /users/{user}/password (password.unlock)",
        pingone_permission="dir:unlock:userPassword",
    ),
    Action(
        key="password.set-temporary",
        label=_("Set temporary password"),
        done=_("Temporary password set"),
        told=_("Set a temporary password for {user}."),
        does=_("Replaces their password and shows you the new one once. They change it the next time they sign in."),
        leaves=_("The new password is not stored or logged here, so no one can look it up later."),
        permission=Permission.SET_PASSWORDS,
        call=passwords.set_temporary,
        secret_result=_("Temporary password"),
        offered_to=lambda user: not user.has_external_identity_provider,
        question=_("Give {user} a temporary password?"),
        observe=observed.password_change,
        panels=("password",),
        endpoint="PUT /users/{user}/password (password.set)",
        pingone_permission="dir:set:userPassword",
    ),
)
