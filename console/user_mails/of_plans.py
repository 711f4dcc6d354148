"""The emails of the shipped plans, marked for translation: their JSON is in English, and users read their language."""

from django.utils.translation import gettext_noop

TEXTS = frozenset(
    {
        gettext_noop("Welcome to {organization}: choose your password"),
        gettext_noop(
            "Hello {given},\n\nyour account at {organization} is ready. Your username is {username}.\n\nChoose your"
            " password here:\n{recover}\n\nEnter your username there. You then get a code by email at this address.\n"
        ),
        gettext_noop("{name} has an account at {organization}"),
        gettext_noop(
            "Hello {manager},\n\nthe account of {name} at {organization} is ready. Their username is {username}.\n"
        ),
        gettext_noop("Your lost phone at {organization}"),
        gettext_noop(
            "Hello {given},\n\nwe removed the device that you reported as lost, and signed you out everywhere.\n\n"
            "If you did not report it, tell us at once.\n"
        ),
    }
)
