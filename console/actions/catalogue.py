"""Every action that an operator can run at PingOne, as data: the single list for pages, commands, log and tests."""

from console.actions import account, groups, mfa, passwords, profile, sessions
from console.actions.action import Action, Place, Undo

__all__ = ["ACTIONS", "BY_KEY", "Action", "Place", "Undo"]

ACTIONS: tuple[Action, ...] = (
    *account.ACTIONS,
    *passwords.ACTIONS,
    *mfa.ACTIONS,
    *profile.ACTIONS,
    *groups.ACTIONS,
    *sessions.ACTIONS,
)
BY_KEY = {action.key: action for action in ACTIONS}
