"""What the sandbox assumes of PingOne without a published source, tried on a real environment by reading alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pingone_integration.calls import breaker, concurrency, failed_calls
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.responses import json_object
from pingone_integration.user_search import literal

NOBODY = str(uuid4())


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: dict[str, Any]

    def listed(self, collection: str) -> list[Any] | None:
        """Return the items, or None if the body is no list of this collection."""
        embedded = self.body.get("_embedded")
        items = embedded.get(collection) if isinstance(embedded, dict) else None
        return items if isinstance(items, list) else None


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """`holds` gets the answer. {user} stands for the first user's ID, {swapped} for their username in other case."""

    text: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    holds: Callable[[Answer], bool]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`differs`: what PingOne answered instead; empty if it is as assumed, None if it could not be tried."""

    assumption: Assumption
    differs: str | None


def _refused(answer: Answer) -> bool:
    return answer.status == 400


def _empty_list(answer: Answer) -> bool:
    return answer.status == 200 and answer.listed("users") == [] and answer.body.get("count") == 0


def _absent(answer: Answer) -> bool:
    return answer.status == 404


def _one_user(answer: Answer) -> bool:
    return answer.status == 200 and len(answer.listed("users") or ()) == 1


def _filter(text: str) -> tuple[tuple[str, str], ...]:
    return (("filter", text), ("limit", "2"))


ASSUMPTIONS = (
    Assumption(
        text="A search without a match answers with an empty list and the count 0.",
        path="/users",
        query=_filter(f"username eq {literal(NOBODY)}"),
        holds=_empty_list,
    ),
    Assumption(
        text="A backslash escapes quotation marks and backslashes in a filter.",
        path="/users",
        query=_filter(f"username eq {literal(NOBODY + chr(34) + chr(92))}"),
        holds=_empty_list,
    ),
    Assumption(
        text="Usernames are compared in any case.",
        path="/users",
        query=_filter("username eq {swapped}"),
        holds=_one_user,
    ),
    *(
        Assumption(
            text=f"{attribute} cannot be filtered.",
            path="/users",
            query=_filter(f"{attribute} eq {value}"),
            holds=_refused,
        )
        for attribute, value in (
            ("lifecycle.status", '"ACCOUNT_OK"'),
            ("account.status", '"OK"'),
            ("account.canAuthenticate", "true"),
            ("mfaEnabled", "true"),
            ("emailVerified", "true"),
        )
    ),
    Assumption(
        text="A cursor that PingOne did not give answers 400.",
        path="/users",
        query=(("cursor", "not-a-cursor"), ("limit", "2")),
        holds=_refused,
    ),
    Assumption(text="A user who does not exist answers 404.", path=f"/users/{NOBODY}", holds=_absent),
    Assumption(text="A group that does not exist answers 404.", path=f"/groups/{NOBODY}", holds=_absent),
    Assumption(
        text="expand=population puts the population under _embedded.population of the user.",
        path="/users/{user}",
        query=(("expand", "population"),),
        holds=lambda answer: "id" in ((answer.body.get("_embedded") or {}).get("population") or {}),
    ),
    Assumption(
        text="One of the schemas is named User.",
        path="/schemas",
        holds=lambda answer: "User" in {schema.get("name") for schema in answer.listed("schemas") or ()},
    ),
    Assumption(
        text="The state of an MFA bypass is no error when none is in force.",
        path="/users/{user}/bypassMFA",
        holds=lambda answer: answer.status == 200,
    ),
    Assumption(
        text="Groups can be filtered by population.id.",
        path="/groups",
        query=_filter(f"population.id eq {literal(NOBODY)}"),
        holds=lambda answer: answer.status == 200 and answer.listed("groups") == [],
    ),
)


def conformance(api: PingOneApi) -> Iterator[Outcome]:
    """Try each assumption with one GET, until PingOne's rate limit. Raises as PingOneApi.get without the first user."""
    with concurrency.slot(api.connection_id), breaker.even_while_paused(), failed_calls.not_counted():
        users = (api.get("/users", {"limit": "1"}).get("_embedded") or {}).get("users") or []
        known = _known(users[0]) if users else {}
        limited = False
        for assumption in ASSUMPTIONS:
            answer = None if limited else _answer(api, assumption, known)
            limited = limited or (answer is not None and answer.status == 429)
            yield Outcome(assumption=assumption, differs=_difference(assumption, answer))


def _known(user: dict[str, Any]) -> dict[str, str]:
    return {"{user}": str(user["id"]), "{swapped}": literal(str(user["username"]).swapcase())}


def _answer(api: PingOneApi, assumption: Assumption, known: dict[str, str]) -> Answer | None:
    """Return PingOne's answer, or None if the assumption is about a user and there is none."""
    path, query = assumption.path, assumption.query
    for name, value in known.items():
        path, query = path.replace(name, value), tuple((key, text.replace(name, value)) for key, text in query)
    if "{" in path or any("{swapped}" in text for _, text in query):
        return None
    response = api.exchange("GET", path, query=query, content=None)
    return Answer(status=response.status_code, body=json_object(response) or {})


def _difference(assumption: Assumption, answer: Answer | None) -> str | None:
    """Return the difference without values: they may be personal data."""
    if answer is None or answer.status in {401, 403, 429} or answer.status >= 500:
        return None
    if assumption.holds(answer):
        return ""
    members = ", ".join(sorted(answer.body)) or "no JSON object"
    return f"status {answer.status}, with {members}"
