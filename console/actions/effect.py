"""The effect of an action as the state before and after it shows it, and the outcome that follows from it."""

from dataclasses import dataclass

from console.actions.action import Json
from console.actions.outcome import Done, NoChange, Unknown


def shows(expected: Json, values: Json | None) -> bool:
    """Return whether the observed values, None if not read, include the expected values."""
    return values is not None and expected.items() <= values.items()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The state before and after an action, and what the action should have changed."""

    expected: Json  # empty if the action shows nothing in advance
    before: Json | None  # None if not read
    after: Json
    was_read: bool  # whether `after` was

    @property
    def has_effect(self) -> bool:
        return self.was_read and shows(self.expected, self.after)

    @property
    def is_changed(self) -> bool:
        return self.was_read and self.before is not None and self.before != self.after

    def outcome(self, *, explained: bool, is_proof: bool) -> type[Done | NoChange | Unknown]:
        """Return the outcome. `explained`: PingOne's answer says why the effect is missing. `is_proof`: it answered.

        With an answer, the state can show that nothing had to be changed, or that the change is not there (yet).
        Without one, only a change that was not there before shows that it happened.
        """
        if self.expected and self.has_effect and self.before == self.after:
            return NoChange
        if not is_proof:
            return Done if self.is_changed and self.has_effect else Unknown
        return Unknown if self.was_read and not self.has_effect and not explained else Done
