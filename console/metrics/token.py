"""The check that the token for the metrics cannot be guessed."""

import re

from django.core.exceptions import ImproperlyConfigured

SHORTEST = 32


def check_metrics_token(token: str) -> str:
    """Raise ImproperlyConfigured for a token that can be guessed or cannot be sent. Empty: there are no metrics."""
    if token and not re.fullmatch(rf"[A-Za-z0-9._~+/=-]{{{SHORTEST},}}", token):
        raise ImproperlyConfigured(
            f"METRICS_TOKEN must be at least {SHORTEST} random letters and digits. "
            'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    return token
