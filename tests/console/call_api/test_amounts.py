"""The actions of the catalogue that a request of Call API may amount to."""

import json
import re
from uuid import UUID

import pytest

from console.actions.catalogue import ACTIONS
from console.call_api.affected import affected_by
from console.call_api.amounts import EVERY, amounts_to
from tests.support.answers import ADA

WRITES = ("POST", "PUT", "PATCH", "DELETE")


def amounts(method: str, path: str, *, body: object = None, media_type: str = "application/json") -> frozenset[str]:
    sent = json.dumps(body) if body is not None else ""
    return amounts_to(method, path, affected_by(method=method, path=path, media_type=media_type, body=sent))


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
def test_every_action_is_recognized_by_its_own_endpoint(action) -> None:
    method, path = action.endpoint.split()[:2]
    path = re.sub(r"\{\w+\}", str(UUID(int=4 << 76 | 8 << 60 | 7)), path.rstrip(","))

    for spelled in (path, path.upper().replace("/USERS", "/Users"), f"{path}/"):
        assert action.key in amounts(method, spelled, body={"id": str(ADA)})
    for other in WRITES:  # PingOne may take another method on the same resource
        if other not in {one.endpoint.split()[0] for one in ACTIONS if _path(one) == _path(action)}:
            found = amounts(other, path, body={"id": str(ADA), "population": {"id": str(ADA)}, "enabled": False})
            assert action.key in found or len(path.strip("/").split("/")) <= 2


def _path(action) -> str:
    return str(action.endpoint.split()[1].rstrip(","))


@pytest.mark.parametrize(
    ("method", "path", "body", "keys"),
    [
        ("PUT", f"/users/{ADA}", {"enabled": False}, {"user.deactivate", "user.activate", "user.move", "user.update"}),
        ("PATCH", f"/users/{ADA}", {"population": {"id": str(ADA)}}, {"user.move"}),
        ("DELETE", f"/users/{ADA}", None, {"user.delete"}),
        ("DELETE", f"/groups/{ADA}", None, {"group.add", "group.remove"}),
        ("PUT", f"/groups/{ADA}", {"userFilter": "true"}, {"group.add", "group.remove"}),
        ("POST", "/unheard-of", {"a": 1}, EVERY),
        ("POST", f"/users/{ADA}/unheard-of", {"a": 1}, set()),
        ("PUT", f"/users/{ADA}/enabled", {"enabled": False}, {"user.deactivate", "user.activate"}),
        ("POST", "/groups", {"name": "New"}, set()),
    ],
)
def test_request_may_amount_to(method: str, path: str, body: object, keys: set[str]) -> None:
    assert amounts(method, path, body=body) >= keys


def test_harmless_request_amounts_to_nothing() -> None:
    assert amounts("POST", "/groups", body={"name": "New"}) == frozenset()
    assert "user.deactivate" not in amounts("DELETE", f"/users/{ADA}")
