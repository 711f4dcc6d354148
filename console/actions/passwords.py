"""Actions for a user whose password does not work."""

from console.access import Permission
from console.actions import observed
from console.actions.action import Action, Place
from pingone_integration import passwords, unlocking

ACTIONS = (
    Action(
        key="password.send-recovery-code",
        label="Send recovery code",
        done="Recovery code sent",
        does="PingOne mails the user a code, good for five minutes, with which they choose a new password.",
        leaves="The old password works until then; nobody but the user sees the code.",
        permission=Permission.RECOVER_PASSWORDS,
        call=passwords.send_recovery_code,
        offered_to=lambda user: (
            user.enabled is not False and bool(user.email) and not user.has_external_identity_provider
        ),
        observe=observed.of_user("email"),
        bulk=True,
        panels=("password",),
        endpoint="POST /users/{user}/password (password.sendRecoveryCode)",
        pingone_permission="dir:recover:userPassword",
    ),
    Action(
        key="password.force-change",
        label="Force password change",
        done="Password change forced",
        already="had to change the password already",
        does="The user must choose a new password at the next sign-on; a lock of the password ends.",
        leaves="The old password works until then, and open sessions go on.",
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
        label="Unlock password",
        done="Password unlocked",
        does="Forgets the wrong passwords that locked the user out.",
        leaves="Does not change the password.",
        permission=Permission.UNLOCK_USERS,
        call=unlocking.unlock_password,
        is_remedy=True,
        place=Place.PASSWORD,
        offered_to=lambda password: password.is_locked,
        observe=observed.password_state,
        bulk=True,
        panels=("password",),
        endpoint="POST /users/{user}/password (password.unlock)",
        pingone_permission="dir:unlock:userPassword",
    ),
    Action(
        key="password.set-temporary",
        label="Set temporary password",
        done="Temporary password set",
        does="Replaces the password by a generated one, shown to you once. The user changes it at the next sign-on.",
        leaves="Nobody can read the password later: it is neither stored nor logged here.",
        permission=Permission.SET_PASSWORDS,
        call=passwords.set_temporary,
        secret_result="Temporary password",  # noqa: S106 - what it is called
        offered_to=lambda user: not user.has_external_identity_provider,
        question="Replace the password of {name} by a temporary one?",
        observe=observed.password_state,
        panels=("password",),
        endpoint="PUT /users/{user}/password (password.set)",
        pingone_permission="dir:set:userPassword",
    ),
)
