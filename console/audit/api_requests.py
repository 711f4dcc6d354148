"""The part of an API request that is stored and shown: values that are known to be harmless. The rest is left out.

Any operator who may view the audit log reads it, for good. Which values are secrets is known to PingOne alone, so a
list of suspicious names would always miss some.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

ACTION = "api.call"
LEFT_OUT = "(left out)"

_HARMLESS = {
    *("id", "enabled", "name", "username", "given", "middle", "family", "formatted", "displayname", "description"),
    *("type", "status", "mfaenabled", "default"),
}
_HARMLESS_IN_QUERIES = {"limit", "expand", "include", "order", "filter"}
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|code|otp|pin$|assertion|credential|private|key", re.IGNORECASE)
_SECRET_MEDIA_TYPE = re.compile(r"password|otp|verif|import", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def harmless_body(body: str, *, media_type: str, path: str) -> str:
    """Return the JSON with its structure, names, IDs and switches. Of a request about secrets, no value at all."""
    if not body:
        return ""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return LEFT_OUT
    is_secret = bool(_SECRET_MEDIA_TYPE.search(media_type) or _SECRET_NAME.search(path))
    return json.dumps(_harmless(value, "", is_secret=is_secret), ensure_ascii=False)


def harmless_query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value if _is_harmless(name, value, _HARMLESS_IN_QUERIES) else LEFT_OUT) for name, value in pairs]
    return urlencode(kept)


def shown_inputs(action: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of an entry to show or export. Entries of earlier versions may have more in them."""
    if action != ACTION:
        return dict(inputs)
    path, media_type = str(inputs.get("path", "")), str(inputs.get("media_type", ""))
    shown = {name: inputs[name] for name in ("method", "path", "media_type") if name in inputs}
    if "query" in inputs:
        shown["query"] = harmless_query(str(inputs["query"]))
    if "body" in inputs:
        shown["body"] = harmless_body(str(inputs["body"]), media_type=media_type, path=path)
    return shown


def _harmless(value: Any, name: str, *, is_secret: bool) -> Any:
    if isinstance(value, dict):
        return {
            key: _harmless(item, key, is_secret=is_secret or bool(_SECRET_NAME.search(key)))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_harmless(item, name, is_secret=is_secret) for item in value]
    if value is None or isinstance(value, bool) or value == LEFT_OUT:
        return value
    return value if not is_secret and _is_harmless(name, value, _HARMLESS) else LEFT_OUT


def _is_harmless(name: str, value: Any, names: set[str]) -> bool:
    if _SECRET_NAME.search(name):
        return False
    return name.lower() in names or bool(isinstance(value, str) and _ID.fullmatch(value)) or value == LEFT_OUT
