"""The calls about groups: `/group/{call}/{instance}`, the group in the query or in the body."""

from typing import Any, Final

from gateway.testing.evolution import bodies, refusals
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.world import Group, create_jid

_CODE: Final = 22  # characters of an invitation
_EXPIRATIONS: Final = (0, 86400, 604800, 7776000)  # seconds
_GET: Final = frozenset(
    {"findGroupInfos", "fetchAllGroups", "participants", "inviteCode", "inviteInfo", "acceptInviteCode"}
)
_PUT_IN_1: Final = frozenset(
    {
        *("updateParticipant", "updateGroupSubject", "updateGroupDescription", "updateGroupPicture"),
        *("updateSetting", "toggleEphemeral", "revokeInviteCode"),
    }
)


def create(call: Call) -> Answer:
    """A new group with the bot as its owner."""
    members: dict[str, str | None] = {call.instance.jid: "superadmin"}
    rank = "admin" if call.body.get("promoteParticipants") else None
    members |= {create_jid(each): rank for each in call.body["participants"]}
    group = Group(
        id=f"1203634{call.world.random.randrange(10**11):011d}@g.us",
        subject=call.body["subject"],
        description=call.body.get("description"),
        members=members,
        owner=call.instance.jid,
        created=int(call.world.now()),
        invite=_invite(call),
    )
    call.instance.groups[group.id] = group
    call.emit(call.instance, "groups.upsert", [_metadata(call, group)])
    return 201, _metadata(call, group)


def describe(call: Call) -> Answer:
    """What is known of a group."""
    return 200, _metadata(call, _group(call))


def describe_all(call: Call) -> Answer:
    """Every group the account is in."""
    with_members = call.body["getParticipants"] == "true"
    found = [_metadata(call, each) for each in call.instance.groups.values()]
    return 200, found if with_members else [_without(each, "participants") for each in found]


def members(call: Call) -> Answer:
    """The table from LID to number."""
    return 200, {"participants": _members(call, _group(call))}


def update_members(call: Call) -> Answer:
    """Add, remove, promote or demote; each participant has a status of its own."""
    group, action = _group(call), call.body["action"]
    jids = [create_jid(each) for each in call.body["participants"]]
    for jid in jids:
        if action == "remove":
            group.members.pop(jid, None)
        else:
            group.members[jid] = "admin" if action == "promote" else None
    told = {
        "id": group.id,
        "author": call.instance.jid,
        "participants": [_member(call, jid, group.members.get(jid)) for jid in jids],
        "action": action,
    }
    call.emit(call.instance, "group-participants.update", told)
    content = {"tag": "participant", "attrs": {}}
    return 201, {"updateParticipants": [{"status": "200", "jid": jid, "content": content} for jid in jids]}


def update_subject(call: Call) -> Answer:
    """A new name. No webhook tells of it: Evolution never posts groups.update."""
    _group(call).subject = call.body["subject"]
    return 201, {"update": "success"}


def update_description(call: Call) -> Answer:
    """A new description."""
    _group(call).description = call.body["description"]
    return 201, {"update": "success"}


def update_picture(call: Call) -> Answer:
    """A new picture, which nobody sees."""
    _group(call)
    return 201, {"update": "success"}


def update_setting(call: Call) -> Answer:
    """Who may write, and who may change the group."""
    group = _group(call)
    match call.body["action"]:
        case "announcement" | "not_announcement" as action:
            group.announce = action == "announcement"
        case action:
            group.restrict = action == "locked"
    return 201, {"updateSetting": "success"}


def toggle_ephemeral(call: Call) -> Answer:
    """Disappearing messages."""
    _group(call)
    if call.body["expiration"] not in _EXPIRATIONS:
        raise refusals.invalid([{"property": "expiration", "message": "is not one of enum values"}])
    return 201, {"success": True}


def invite_code(call: Call) -> Answer:
    """How to join."""
    code = _group(call).invite
    return 200, {"inviteUrl": f"https://chat.whatsapp.com/{code}", "inviteCode": code}


def invite_info(call: Call) -> Answer:
    """Which group an invitation is for."""
    return 200, _metadata(call, _invited(call))


def accept_invite(call: Call) -> Answer:
    """Join."""
    group = _invited(call)
    group.members.setdefault(call.instance.jid, None)
    return 200, {"accepted": True, "groupJid": group.id}


def send_invite(call: Call) -> Answer:
    """Ask people in."""
    return 200, {"send": True, "inviteUrl": f"https://chat.whatsapp.com/{_group(call).invite}"}


def revoke_invite(call: Call) -> Answer:
    """A new invitation in place of the old one."""
    group = _group(call)
    group.invite = _invite(call)
    return 201, {"revoked": True, "inviteCode": group.invite}


def leave(call: Call) -> Answer:
    """Leave a group."""
    del call.instance.groups[_group(call).id]
    return 200, {"groupJid": call.body["groupJid"], "leave": True}


def _group(call: Call) -> Group:
    found = call.instance.groups.get(call.body["groupJid"])
    if found is None:
        raise refusals.refusal(404, ["Error fetching group", "Error: item-not-found"])
    return found


def _invited(call: Call) -> Group:
    code = call.body["inviteCode"]
    found = next((each for each in call.instance.groups.values() if each.invite == code), None)
    if found is None:
        raise refusals.refusal(404, ["No invite info", code])
    return found


def _invite(call: Call) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(call.world.random.choices(letters, k=_CODE))


def _metadata(call: Call, group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "subject": group.subject,
        "subjectOwner": group.owner,
        "subjectTime": group.created,
        "pictureUrl": None,
        "size": len(group.members),
        "creation": group.created,
        "owner": group.owner,
        **({"desc": group.description, "descId": "3EB0DESC"} if group.description else {}),
        "restrict": group.restrict,
        "announce": group.announce,
        "participants": _members(call, group),
        "isCommunity": False,
        "isCommunityAnnounce": False,
    }


def _members(call: Call, group: Group) -> list[dict[str, Any]]:
    return [_member(call, jid, rank) for jid, rank in group.members.items()]


def _member(call: Call, jid: str, rank: str | None) -> dict[str, Any]:
    """2.3.6 names people in groups by LID, with the number beside it; 1.x by number."""
    phone = call.world.phone_of(jid)
    if call.world.is_old or phone is None:
        return {"id": jid, "admin": rank}
    return {"id": call.world.lid_of(phone), "phoneNumber": f"{phone}@s.whatsapp.net", "admin": rank}


def _without(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != name}


_ANSWERS: Final = {
    "create": create,
    "findGroupInfos": describe,
    "fetchAllGroups": describe_all,
    "participants": members,
    "updateParticipant": update_members,
    "updateGroupSubject": update_subject,
    "updateGroupDescription": update_description,
    "updateGroupPicture": update_picture,
    "updateSetting": update_setting,
    "toggleEphemeral": toggle_ephemeral,
    "inviteCode": invite_code,
    "inviteInfo": invite_info,
    "acceptInviteCode": accept_invite,
    "sendInvite": send_invite,
    "revokeInviteCode": revoke_invite,
    "leaveGroup": leave,
}

ENDPOINTS: Final = tuple(
    Endpoint(
        name=f"group/{action}",
        method="GET" if action in _GET else "DELETE" if action == "leaveGroup" else "POST",
        answer=answer,
        body=bodies.GROUPS[action],
        old_method="PUT" if action in _PUT_IN_1 else "same",
    )
    for action, answer in _ANSWERS.items()
)
