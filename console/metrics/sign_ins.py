"""Failed sign-ins, by what was wrong."""

from typing import Any

from prometheus_client import Counter

from pingone_integration.metrics import REGISTRY

FAILED_SIGN_INS = Counter(
    "console_failed_sign_ins",
    "Wrong passwords and second factors, at sign-in or when an operator proves again who they are.",
    ["factor"],
    registry=REGISTRY,
)


def password_refused(**signal: Any) -> None:
    """Receive Django's user_login_failed, which also allauth's forms cause."""
    FAILED_SIGN_INS.labels("password").inc()


def second_factor_refused(**signal: Any) -> None:
    """Receive allauth's authentication_failed."""
    FAILED_SIGN_INS.labels("second_factor").inc()
