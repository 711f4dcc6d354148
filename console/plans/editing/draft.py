"""A plan as it is being edited: what was typed, valid or not. It travels in the form; nothing is stored before Save.

A step is a flat mapping, as its fields are named in the form: `kind` says what it is; the inputs of an action are
`value-<input>`, the choice that stands for one `how-<input>`. `group-search` is a name by which to find more groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.text import slugify

from console.actions.catalogue import BY_KEY
from console.plans.definition import ASKED, CHOICES, MANAGER, MOST_STEPS, PERSON, Json, Kind
from console.plans.fields import Attributes, fields_of

ACTION, MAIL, WAIT = "action", "mail", "wait"
ADDRESS = "address"  # to whom an email goes, if to nobody who is found at the run

_IDS = ("group_id", "population_id", "device_id", "session_id")  # one select has the choices, too

Typed = dict[str, str]


@dataclass
class Draft:
    """What the form of the editor holds. `seen`: the newest version when the editor was opened; 0: there was none."""

    slug: str = ""
    name: str = ""
    kind: str = Kind.CHANGE
    steps: list[Typed] = field(default_factory=list)
    seen: int = 0
    imported: dict[str, str] = field(default_factory=dict)  # names that a file gave, by ID

    @classmethod
    def of(cls, said: Json, *, seen: int = 0) -> "Draft":
        """Return the draft for a plan that was saved, also if it is none anymore."""
        return cls(
            slug=said["id"], name=said["name"], kind=said["kind"], steps=list(map(_typed, said["steps"])), seen=seen
        )

    @classmethod
    def sent(cls, data: QueryDict) -> "Draft":
        """Return the draft that a form was sent with."""
        count = min(_number(data.get("count")), MOST_STEPS)
        steps: list[Typed] = [{} for _step in range(count)]
        for name, value in data.items():
            head, _dash, rest = name.partition("-")
            number, _dash, of = rest.partition("-")
            if head == "step" and of and 0 <= _number(number, -1) < count:
                steps[int(number)][of] = str(value).replace("\r\n", "\n")
        imported = {
            name.removeprefix("named-"): str(value) for name, value in data.items() if name.startswith("named-")
        }
        return cls(
            slug=data.get("slug", "").strip(),
            name=data.get("name", "").strip(),
            kind=data.get("kind", ""),
            steps=steps,
            seen=_number(data.get("seen")),
            imported=imported,
        )

    def edited(self, do: str, data: QueryDict, attributes: Attributes) -> int | None:
        """Do what a button of the editor says. Return the place of the step that it was about; None: no step."""
        what, _dash, rest = do.partition("-")
        if what == "add":
            return self._add(data.get("new", ""))
        place = _number(rest.partition("-")[0], -1)
        if not 0 <= place < len(self.steps):
            return None
        step = self.steps[place]
        if what == "remove":
            del self.steps[place]
            return min(place, len(self.steps) - 1) if self.steps else None
        if what in {"up", "down"}:
            to = max(0, min(len(self.steps) - 1, place + (1 if what == "down" else -1)))
            self.steps.insert(to, self.steps.pop(place))
            return to
        if what == "field" and step.get("new-field") in fields_in(step, attributes):
            step.setdefault(f"value-{step['new-field']}", "")
        if what == "drop":
            name = rest.partition("-")[2]
            for part in ("value", "how"):
                step.pop(f"{part}-{name}", None)
        step.pop("new-field", None)
        return place

    def _add(self, new: str) -> int | None:
        if len(self.steps) >= MOST_STEPS or not (new in BY_KEY or new in {MAIL, WAIT}):
            return None
        self.steps.append({"kind": ACTION, "action": new} if new in BY_KEY else {"kind": new})
        return len(self.steps) - 1

    def as_json(self) -> Json:
        """Return the plan as JSON, to be read as any other."""
        slug = self.slug or slugify(self.name)[:50].strip("-_")
        return {"id": slug, "name": self.name, "kind": self.kind, "steps": [_json(step) for step in self.steps]}


def fields_in(step: Mapping[str, str], attributes: Attributes) -> dict[str, Any]:
    """Return the fields that the action of a step has; none for another kind of step."""
    action = BY_KEY.get(step.get("action", "")) if step.get("kind") == ACTION else None
    return fields_of(action, attributes) if action else {}


def adds_fields(step: Mapping[str, str]) -> bool:
    """Return whether the step has only the fields that were added to it, out of a whole profile."""
    action = BY_KEY.get(step.get("action", ""))
    return bool(action and action.form.looks_at_schema)


def inputs_in(step: Mapping[str, str]) -> list[str]:
    """Return the inputs that a step has so far."""
    return [name.partition("-")[2] for name in step if name.startswith("value-")]


def is_id(name: str) -> bool:
    return name in _IDS


def _json(step: Mapping[str, str]) -> Json:
    kind = step.get("kind")
    condition = {"if": step["if"]} if step.get("if") else {}
    if kind == WAIT:
        if step.get("length") == "until":
            return {"wait": {"until": step.get("until", "").strip()}}
        if step.get("length") == "date":
            return {"wait": {"date": ASKED}}
        days = step.get("days", "").strip()
        return {"wait": {"days": int(days) if days.isascii() and days.isdigit() and len(days) < 10 else days}}
    if kind == MAIL:
        to = step.get("to", PERSON)
        to = step.get("address", "").strip() if to == ADDRESS else to
        return {"mail": to, "subject": step.get("subject", ""), "text": step.get("text", "")} | condition
    inputs = {name: step.get(f"how-{name}") or step[f"value-{name}"] for name in inputs_in(step)}
    given = {name: value for name, value in inputs.items() if value or not is_id(name)}
    return {"action": step.get("action", "")} | ({"inputs": given} if given else {}) | condition


def _typed(said: Json) -> Typed:
    condition = {"if": said["if"]} if "if" in said else {}
    if "wait" in said:
        (length, value), *_rest = said["wait"].items()
        return {"kind": WAIT, "length": length, length: str(value)}
    if "mail" in said:
        to = said["mail"]
        found = {"to": to} if to in {PERSON, MANAGER} else {"to": ADDRESS, "address": to}
        return {"kind": MAIL, "subject": said["subject"], "text": said["text"]} | found | condition
    typed = {"kind": ACTION, "action": said["action"]}
    for name, value in said.get("inputs", {}).items():
        is_choice = value in CHOICES and not is_id(name)
        typed |= {f"how-{name}": value, f"value-{name}": ""} if is_choice else {f"value-{name}": value}
    return typed | condition


def _number(typed: str | None, otherwise: int = 0) -> int:
    return int(typed) if typed and typed.isascii() and typed.isdigit() and len(typed) < 10 else otherwise
