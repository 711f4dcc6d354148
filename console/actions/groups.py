"""Actions that add a user to groups and remove them."""

from uuid import UUID

from console.access import Permission
from console.actions import observed
from console.actions.action import Action, Json, Place, Undo
from console.actions.choices import groups_to_join
from console.actions.forms import GroupForm, MembershipForm
from pingone_integration import groups


def _same_group(before: Json, inputs: Json) -> Json:
    return {"group_id": UUID(inputs["group_id"])}


ACTIONS = (
    Action(
        key="group.add",
        label="Add to group",
        done="Added to the group",
        already="was in this group already",
        does="Makes the user a direct member of the group, with all that membership gives.",
        leaves="Changes none of the user's other memberships.",
        permission=Permission.CHANGE_GROUPS,
        call=groups.add,
        form=GroupForm,
        options={"group_id": groups_to_join},
        place=Place.GROUPS,
        observe=observed.membership,
        effect={"direct_member": True},
        undo=Undo(action="group.remove", inputs=_same_group),
        bulk=True,
        panels=("groups",),
        endpoint="POST /users/{user}/memberOfGroups",
        pingone_permission="dir:create:groupMembership",
    ),
    Action(
        key="group.remove",
        label="Remove",
        title="Remove from group",
        done="Removed from the group",
        already="was not in this group any more",
        does="Ends the direct membership, and what it gives.",
        leaves="A membership by the group's filter or through another group stays.",
        permission=Permission.CHANGE_GROUPS,
        call=groups.remove,
        form=MembershipForm,
        place=Place.GROUP,
        offered_to=lambda membership: membership.is_direct,
        observe=observed.membership,
        effect={"direct_member": False},
        undo=Undo(action="group.add", inputs=_same_group),
        bulk=True,
        panels=("groups",),
        endpoint="DELETE /users/{user}/memberOfGroups/{group}",
        pingone_permission="dir:delete:groupMembership",
    ),
)
