"""Actions that add a user to groups and remove them."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console.access import Permission
from console.actions import names, observed
from console.actions.action import Action, Json, Place, Undo, always
from console.actions.choices import groups_to_join
from console.actions.forms import GroupForm, MembershipForm
from pingone_integration import groups


def _same_group(before: Json, inputs: Json) -> Json:
    return {"group_id": UUID(inputs["group_id"])}


ACTIONS = (
    Action(
        key="group.add",
        label=_("Add to group"),
        done=_("Added to the group"),
        told=_("Added {user} to {group}."),
        already=_("{user} was already in {group}."),
        failed=_("Could not add {user} to {group}."),
        unsure=_("We do not know whether {user} was added to {group}."),
        does=_("They get everything the group gives access to."),
        leaves=_("Does not change their other groups."),
        permission=Permission.CHANGE_GROUPS,
        call=groups.add,
        form=GroupForm,
        options={"group_id": groups_to_join},
        place=Place.GROUPS,
        names=names.group,
        observe=observed.membership,
        effect={"direct_member": True},
        undo=Undo(action="group.remove", inputs=_same_group),
        bulk=True,
        panels=("groups",),
        gives_access=always,
        endpoint="POST /users/{user}/memberOfGroups",
        pingone_permission="dir:create:groupMembership",
    ),
    Action(
        key="group.remove",
        label=_("Remove"),
        title=_("Remove from group"),
        done=_("Removed from the group"),
        told=_("Removed {user} from {group}."),
        already=_("{user} was already removed from {group}."),
        does=_("Ends their direct membership and the access it gives."),
        leaves=_("They stay in the group if its filter or another group includes them."),
        permission=Permission.CHANGE_GROUPS,
        call=groups.remove,
        form=MembershipForm,
        place=Place.GROUP,
        offered_to=lambda membership: membership.is_direct,
        names=names.group,
        observe=observed.membership,
        effect={"direct_member": False},
        undo=Undo(action="group.add", inputs=_same_group),
        bulk=True,
        panels=("groups",),
        endpoint="DELETE /users/{user}/memberOfGroups/{group}",
        pingone_permission="dir:delete:groupMembership",
    ),
)
