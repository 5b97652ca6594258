"""The events of groups: new ones, changed ones, who came and went."""

from datetime import datetime
from typing import ClassVar

import msgspec

from gateway.events.base import ChatEvent, Event, Posted
from gateway.events.numbers import instant
from gateway.events.people import Directory, known, person, phone_of
from gateway.events.reader import Reader, describe


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a group."""

    jid: str | None
    """Address the group uses, without device; a LID in LID groups."""
    phone: str | None = None
    """Telephone number, digits; None where the event shows only the LID."""
    lid: str | None = None
    """Opaque identity `...@lid`, if shown."""
    admin: str | None = None
    """`admin`, `superadmin` (who made the group), or None for a plain member or where the event doesn't say."""
    name: str | None = None
    """Name, where Evolution adds it (2.3.5)."""
    picture_url: str | None = None
    """Profile picture, where Evolution adds it (2.3.5)."""

    @property
    def mention(self) -> str:
        """Text that WhatsApp shows as a mention: `@` and the jid's user part, which in LID groups is not the phone."""
        return "@" + (self.jid or "").partition("@")[0]

    @property
    def is_admin(self) -> bool:
        """May change the group."""
        return self.admin is not None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group, or in `groups.update` the part of it that changed."""

    jid: str | None
    """Address of the group."""
    subject: str | None = None
    """Its name."""
    participants: tuple[Participant, ...] | None = None
    """Its members; None where the event doesn't list them."""
    size: int | None = None
    """Number of members as WhatsApp says it."""
    description: str | None = None
    """Its description."""
    owner: str | None = None
    """Jid of who made it."""
    owner_phone: str | None = None
    """Phone digits of who made it."""
    author: str | None = None
    """Jid of who caused this event."""
    author_phone: str | None = None
    """Phone digits of who caused this event."""
    created: int | None = None
    """Unix seconds when it was made."""
    announce: bool | None = None
    """Only admins may write."""
    restrict: bool | None = None
    """Only admins may change its name and picture."""
    join_approval: bool | None = None
    """An admin must let newcomers in."""
    expiration: int | None = None
    """Seconds after which messages disappear."""
    invite_code: str | None = None
    """New code of its link, when it changed."""
    community: str | None = None
    """Jid of the community it belongs to."""

    @property
    def created_at(self) -> datetime | None:
        """`created` as an aware UTC time."""
        return instant(self.created)


class GroupsUpsert(Event, frozen=True, kw_only=True):
    """A group was made, or the bot was added to one."""

    name: ClassVar[str] = "groups.upsert"

    groups: tuple[Group, ...]
    """The groups, with their members."""


class GroupsUpdate(Event, frozen=True, kw_only=True):
    """A group's name, description or settings changed.

    Webhooks never carry it up to 2.3.6: the setting and the event have different names. Other transports do.
    """

    name: ClassVar[str] = "groups.update"

    groups: tuple[Group, ...]
    """What changed; only changed fields are filled."""


class GroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """Who came, went or changed rank."""

    group: str | None
    """Jid of the group."""
    action: str | None
    """`add`, `remove`, `promote`, `demote`; `modify` when a member changed their number."""
    author: str | None
    """Jid of who did it; None when it isn't said. A member who leaves is their own author."""
    author_phone: str | None
    """Phone digits of who did it."""
    participants: tuple[Participant, ...]
    """Whom it concerns."""


class GroupParticipantsUpdate(ChatEvent, frozen=True, kw_only=True):
    """Members joined, left, or became or ceased to be admins."""

    name: ClassVar[str] = "group-participants.update"

    change: GroupChange
    """The change."""


def groups_upsert(posted: Posted) -> GroupsUpsert:
    """Read `groups.upsert`."""
    return GroupsUpsert(groups=_groups(posted), **posted.head())


def groups_update(posted: Posted) -> GroupsUpdate:
    """Read `groups.update`."""
    return GroupsUpdate(groups=_groups(posted), **posted.head())


def group_participants_update(posted: Posted) -> GroupParticipantsUpdate:
    """Read `group-participants.update`, whose participants are texts up to 2.3.4 and objects from 2.3.6."""
    data = posted.object()
    author = known(data, None, posted.directory, "author", "authorPn", "authorLid")
    group = data.jid("id")
    change = GroupChange(
        group=group,
        action=data.text("action"),
        author=author.jid,
        author_phone=author.phone,
        participants=_participants(data, posted.directory),
    )
    return GroupParticipantsUpdate(change=change, chat=group, **posted.head())


def _groups(posted: Posted) -> tuple[Group, ...]:
    return tuple(_group(item, posted.directory) for item in posted.items())


def _group(item: Reader, directory: Directory) -> Group:
    owner = known(item, None, directory, "owner", "ownerPn", "ownerJid")
    author = known(item, None, directory, "author", "authorPn", "authorJid")
    listed = item.data.get("participants") is not None
    return Group(
        jid=item.jid("id"),
        subject=item.text("subject"),
        participants=_participants(item, directory) if listed else None,
        size=item.whole("size"),
        description=item.text("desc"),
        owner=owner.jid,
        owner_phone=owner.phone,
        author=author.jid,
        author_phone=author.phone,
        created=item.whole("creation"),
        announce=item.flag("announce"),
        restrict=item.flag("restrict"),
        join_approval=item.flag("joinApprovalMode"),
        expiration=item.whole("ephemeralDuration"),
        invite_code=item.text("inviteCode"),
        community=item.jid("linkedParent"),
    )


def _participants(data: Reader, directory: Directory) -> tuple[Participant, ...]:
    """The members, each with what `participantsData` (2.3.5) adds about the same jid."""
    members = data.data.get("participants")
    if type(members) is not list:
        if members is not None:
            data.reject("participants", "a list", members)
        return ()
    more = {known.jid("jid"): known for known in data.entries("participantsData")}
    found = (_member(data, at, member) for at, member in enumerate(members))
    return tuple(_participant(member, more.get(member.jid("id")), directory) for member in found if member is not None)


def _member(data: Reader, at: int, member: object) -> Reader | None:
    path = f"{data.path}.participants[{at}]"
    if type(member) is dict:
        return Reader(member, path, data.problems)
    if type(member) is str and member:
        return Reader({"id": member}, path, data.problems)
    data.problems.append(f"{path}: expected an object or a jid, found {describe(member)}")
    return None


def _participant(member: Reader, more: Reader | None, directory: Directory) -> Participant:
    names = tuple(member.jid(field) for field in ("id", "lid", "jid"))
    numbers = tuple(_number(source, names[0]) for source in (member, more) if source)
    who = person((*names, *numbers), None, directory)
    return Participant(
        jid=who.jid,
        phone=who.phone,
        lid=who.lid,
        admin=member.text("admin"),
        name=more.text("name") if more else None,
        picture_url=more.text("imgUrl") if more else None,
    )


def _number(source: Reader, address: str | None) -> str | None:
    """`phoneNumber` is a jid or bare digits, and the LID's own digits where Evolution could not resolve it."""
    number = source.jid("phoneNumber")
    if number is None or "@" in number or phone_of(number) is None:
        return number
    return None if address is not None and address.partition("@")[0] == number else f"{number}@s.whatsapp.net"
