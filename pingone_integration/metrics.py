"""What this process counts for monitoring. A value of a label is one of few: never an ID, a name or a path."""

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()

CALLS = Histogram(
    "pingone_call_seconds",
    "Requests to PingOne, each attempt, by outcome (a status of 429 is rate_limited), until the whole answer is there.",
    ["service", "method", "outcome"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
    registry=REGISTRY,
)
NOT_SENT = Counter(
    "pingone_calls_not_sent",
    "Calls that were refused before they were sent: too many at once, during a pause, or above the license's rate.",
    ["reason"],
    registry=REGISTRY,
)
PAUSES = Counter("pingone_pauses", "Pauses of a connection after repeated failures of PingOne.", registry=REGISTRY)
REFRESHES = Counter(
    "pingone_token_refreshes",
    "Refreshes of an access token, by outcome: success, or the kind of failure.",
    ["outcome"],
    registry=REGISTRY,
)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


def count_call(*, path: str, method: str, outcome: str, seconds: float) -> None:
    service = "api" if path.startswith("/v1/") else "sign-on"
    CALLS.labels(service, method if method in _METHODS else "other", outcome).observe(seconds)


def outcome_of(status: int) -> str:
    if status == 429:
        return "rate_limited"
    return {2: "success", 4: "refused", 5: "server_error"}.get(status // 100, "other")
