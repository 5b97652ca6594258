"""The calls about groups. Groups and members come as the same values that events bring."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from gateway import jid
from gateway.address import address
from gateway.events import Group, GroupsUpsert, Participant, decode
from gateway.evolution.answers import reader, rows
from gateway.evolution.call import Body, Call, sparse
from gateway.evolution.media import Media, spell_media
from gateway.evolution.options import digits_or_jid
from gateway.evolution.server import Server

MemberAction = Literal["add", "remove", "promote", "demote"]
GroupSetting = Literal["announcement", "not_announcement", "locked", "unlocked"]
Expiration = Literal[0, 86400, 604800, 7776000]
"""Seconds: never, a day, a week, 90 days."""

_LINK = "https://chat.whatsapp.com/"


class MemberChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one member."""

    jid: str | None
    status: str | None
    """WhatsApp's code: `200` done, `403` only an invitation can add them, `409` they are in it already."""

    @property
    def is_done(self) -> bool:
        """It happened."""
        return self.status == "200"


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """The link into a group."""

    code: str | None
    url: str | None


class Groups(Server):
    """Groups, by their jid `...@g.us`. Every method raises `EvolutionError`, and `ValueError` for what is no group."""

    async def create_group(
        self, instance: str, subject: str, participants: Sequence[str], *, description: str = "", promote: bool = False
    ) -> Group:
        """Make a group; `promote` makes all its members admins."""
        body = {"subject": subject, "participants": _people(participants)}
        body |= sparse(description=description, promoteParticipants=promote or None)
        return _read_group(await self.ask(Call(name="group/create", instance=instance, body=body)))

    async def find_group(self, instance: str, group: str) -> Group:
        """A group with its members."""
        return _read_group(await self.ask(_question(instance, "findGroupInfos", _of(group))))

    async def find_groups(self, instance: str, *, participants: bool = False) -> list[Group]:
        """All groups the account is in; their members only if asked for, which takes long where there are many."""
        query = {"getParticipants": "true" if participants else "false"}
        return _read_groups(await self.ask(_question(instance, "fetchAllGroups", query)))

    async def find_members(self, instance: str, group: str) -> list[Participant]:
        """The members of a group, with telephone number and LID where Evolution knows both."""
        answer = await self.ask(_question(instance, "participants", _of(group)))
        members = rows(reader(answer).data.get("participants"))
        more = [member | {"jid": member.get("id")} for member in members]
        found = _read_group({"id": group, "participants": members, "participantsData": more})
        return list(found.participants or ())

    async def change_members(
        self, instance: str, group: str, action: MemberAction, participants: Sequence[str]
    ) -> list[MemberChange]:
        """Add or remove members, or make them admins or plain members; tells of each what became of it."""
        body: Body = {"action": action, "participants": _people(participants)}
        answer = await self.ask(_change(instance, "updateParticipant", group, body))
        found = map(reader, rows(reader(answer).data.get("updateParticipants")))
        return [MemberChange(jid=row.jid("jid"), status=row.label("status")) for row in found]

    async def set_group_subject(self, instance: str, group: str, subject: str) -> None:
        """Give a group another name."""
        await self.ask(_change(instance, "updateGroupSubject", group, {"subject": subject}))

    async def set_group_description(self, instance: str, group: str, description: str) -> None:
        """Give a group another description."""
        await self.ask(_change(instance, "updateGroupDescription", group, {"description": description}))

    async def set_group_picture(self, instance: str, group: str, image: Media) -> None:
        """Give a group another picture."""
        await self.ask(_change(instance, "updateGroupPicture", group, {"image": spell_media(image)}))

    async def set_group_setting(self, instance: str, group: str, setting: GroupSetting) -> None:
        """Let only admins write (`announcement`), or only admins change name and picture (`locked`), or everybody."""
        await self.ask(_change(instance, "updateSetting", group, {"action": setting}))

    async def set_group_expiration(self, instance: str, group: str, seconds: Expiration) -> None:
        """Let messages disappear after so long; 0: never."""
        await self.ask(_change(instance, "toggleEphemeral", group, {"expiration": seconds}))

    async def find_invite(self, instance: str, group: str) -> Invite:
        """The link into a group."""
        answer = reader(await self.ask(_question(instance, "inviteCode", _of(group))))
        return Invite(code=answer.text("inviteCode"), url=answer.text("inviteUrl"))

    async def revoke_invite(self, instance: str, group: str) -> Invite:
        """Make a new link, so that the old one leads nowhere."""
        code = reader(await self.ask(_change(instance, "revokeInviteCode", group, None))).text("inviteCode")
        return Invite(code=code, url=f"{_LINK}{code}" if code else None)

    async def send_invite(self, instance: str, group: str, numbers: Sequence[str], *, description: str = "") -> None:
        """Send people the link into a group."""
        body = _of(group) | {"description": description, "numbers": _people(numbers)}
        await self.ask(Call(name="group/sendInvite", instance=instance, body=body))

    async def find_invited_group(self, instance: str, invite: str) -> Group:
        """The group that a link or its code leads to."""
        return _read_group(await self.ask(_question(instance, "inviteInfo", _invited(invite))))

    async def join_group(self, instance: str, invite: str) -> str | None:
        """Join the group that a link or its code leads to; gives its jid."""
        call = Call(name="group/acceptInviteCode", instance=instance, method="GET", query=_invited(invite))
        return reader(await self.ask(call)).jid("groupJid")

    async def leave_group(self, instance: str, group: str) -> None:
        """Leave a group."""
        await self.ask(Call(name="group/leaveGroup", instance=instance, method="DELETE", query=_of(group)))


def _question(instance: str, action: str, query: dict[str, str]) -> Call:
    return Call(name=f"group/{action}", instance=instance, method="GET", query=query, is_question=True)


def _change(instance: str, action: str, group: str, body: Body | None) -> Call:
    return Call(name=f"group/{action}", instance=instance, query=_of(group), body=body, old_method="PUT")


def _of(group: str) -> dict[str, str]:
    found = address(group)
    if jid.kind(found) != "group":
        raise ValueError(f"{group!r} is no group, such as 120363400000000001@g.us")
    return {"groupJid": found}


def _invited(invite: str) -> dict[str, str]:
    return {"inviteCode": invite.strip().rstrip("/").rpartition("/")[2].partition("?")[0]}


def _people(people: Sequence[str]) -> list[str]:
    if isinstance(people, str):
        raise ValueError(f"expected a list of people, got the text {people!r}")  # noqa: TRY004 - one kind to catch
    return [digits_or_jid(each) for each in people]


def _read_groups(answer: object) -> list[Group]:
    """The rows of an answer are those of `groups.upsert`."""
    event = decode("groups.upsert", {"event": "groups.upsert", "data": rows(answer)})
    return list(event.groups) if isinstance(event, GroupsUpsert) else []


def _read_group(answer: object) -> Group:
    return next(iter(_read_groups(answer)), Group(jid=None))
