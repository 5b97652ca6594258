"""What each call about groups asks of Evolution (written by hand from its REST reference), and what comes back."""

import pytest

from gateway.evolution import Evolution, Invite
from gateway.evolution.call import Body
from tests.evolution.asked import Asked, Make, both, check, put
from tests.evolution.conftest import FakeEvolution

GROUP = "120363400000000001@g.us"
QUERY = "groupJid=120363400000000001%40g.us"
CODE = "AbCdEfGhIjKlMnOpQrStUv"


def get(action: str, query: str = QUERY) -> Asked:
    return Asked("GET", f"/group/{action}/shop-1?{query}")


def post(action: str, body: Body | None) -> Asked:
    return Asked("POST", f"/group/{action}/shop-1?{QUERY}", body)


CASES = [
    both(
        "create",
        lambda client: client.create_group(
            "shop-1", "Team", ["+55 11 99999-0002", "201110000000003@lid"], description="Us", promote=True
        ),
        Asked("POST", "/group/create/shop-1", {
            "subject": "Team",
            "participants": ["5511999990002", "201110000000003@lid"],
            "description": "Us",
            "promoteParticipants": True,
        }),
    ),
    both(
        "create with the least",
        lambda client: client.create_group("shop-1", "Team", ["5511999990002"]),
        Asked("POST", "/group/create/shop-1", {"subject": "Team", "participants": ["5511999990002"]}),
    ),
    both("find", lambda client: client.find_group("shop-1", GROUP), get("findGroupInfos")),
    both("find all", lambda client: client.find_groups("shop-1"), get("fetchAllGroups", "getParticipants=false")),
    both(
        "find all with members",
        lambda client: client.find_groups("shop-1", participants=True),
        get("fetchAllGroups", "getParticipants=true"),
    ),
    both("members", lambda client: client.find_members("shop-1", GROUP), get("participants")),
    put(
        "change members",
        lambda client: client.change_members("shop-1", GROUP, "promote", ["5511999990002@s.whatsapp.net"]),
        post("updateParticipant", {"action": "promote", "participants": ["5511999990002"]}),
    ),
    put(
        "subject",
        lambda client: client.set_group_subject("shop-1", GROUP, "Crew"),
        post("updateGroupSubject", {"subject": "Crew"}),
    ),
    put(
        "description",
        lambda client: client.set_group_description("shop-1", GROUP, "All of us"),
        post("updateGroupDescription", {"description": "All of us"}),
    ),
    put(
        "picture",
        lambda client: client.set_group_picture("shop-1", GROUP, b"\x89PNG"),
        post("updateGroupPicture", {"image": "iVBORw=="}),
    ),
    put(
        "setting",
        lambda client: client.set_group_setting("shop-1", GROUP, "announcement"),
        post("updateSetting", {"action": "announcement"}),
    ),
    put(
        "expiration",
        lambda client: client.set_group_expiration("shop-1", GROUP, 86400),
        post("toggleEphemeral", {"expiration": 86400}),
    ),
    both("invite", lambda client: client.find_invite("shop-1", GROUP), get("inviteCode")),
    put("revoke invite", lambda client: client.revoke_invite("shop-1", GROUP), post("revokeInviteCode", None)),
    both(
        "send invite",
        lambda client: client.send_invite("shop-1", GROUP, ["+55 11 99999-0002"], description="Come in"),
        Asked("POST", "/group/sendInvite/shop-1", {
            "groupJid": GROUP, "description": "Come in", "numbers": ["5511999990002"],
        }),
    ),
    both(
        "invited group",
        lambda client: client.find_invited_group("shop-1", f"https://chat.whatsapp.com/{CODE}?mode=ac_t"),
        get("inviteInfo", f"inviteCode={CODE}"),
    ),
    both("join", lambda client: client.join_group("shop-1", CODE), get("acceptInviteCode", f"inviteCode={CODE}")),
    both(
        "leave",
        lambda client: client.leave_group("shop-1", GROUP),
        Asked("DELETE", f"/group/leaveGroup/shop-1?{QUERY}"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "two", "one"), CASES)
async def test_each_call_is_spelt_as_the_servers_version_wants_it(
    evolution: FakeEvolution, make: Make, two: Asked, one: Asked
) -> None:
    await check(evolution, make, two, one)


@pytest.mark.parametrize("group", ["5511999990002", "5511999990002@s.whatsapp.net", "Team"])
async def test_what_is_no_group_is_refused_before_anything_is_asked(
    evolution: FakeEvolution, client: Evolution, group: str
) -> None:
    with pytest.raises(ValueError, match=r"no group|neither a jid"):
        await client.leave_group("shop-1", group)
    assert evolution.requests == []


ROW = {
    "id": GROUP,
    "subject": "Team",
    "subjectOwner": "5511999990002@s.whatsapp.net",
    "size": 2,
    "creation": 1761300549,
    "owner": "5511999990002@s.whatsapp.net",
    "desc": "Us",
    "announce": False,
    "restrict": True,
    "participants": [{"id": "5511999990002@s.whatsapp.net", "admin": "superadmin"}, {"id": "201110000000003@lid"}],
}


async def test_a_group_is_what_events_call_a_group(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, ROW)

    group = await client.find_group("shop-1", GROUP)

    assert (group.jid, group.subject, group.description, group.size) == (GROUP, "Team", "Us", 2)
    assert (group.owner_phone, group.announce, group.restrict) == ("5511999990002", False, True)
    assert [(member.jid, member.is_admin) for member in group.participants or ()] == [
        ("5511999990002@s.whatsapp.net", True),
        ("201110000000003@lid", False),
    ]


async def test_groups_without_members_say_so(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, [{"id": GROUP, "subject": "Team"}, {"id": "1@g.us"}])

    found = await client.find_groups("shop-1")

    assert [(group.jid, group.participants) for group in found] == [(GROUP, None), ("1@g.us", None)]


async def test_members_have_telephone_and_lid_where_evolution_knows_both(
    evolution: FakeEvolution, client: Evolution
) -> None:
    members = [
        {"id": "201110000000002@lid", "phoneNumber": "5511999990002@s.whatsapp.net", "admin": "admin", "name": "Ana"},
        {"id": "5511999990003@s.whatsapp.net", "lid": "201110000000003@lid", "admin": None},
    ]
    evolution.answer = lambda _: (200, {"participants": members})

    ana, bob = await client.find_members("shop-1", GROUP)

    assert (ana.phone, ana.lid, ana.name, ana.is_admin) == ("5511999990002", "201110000000002@lid", "Ana", True)
    assert (bob.phone, bob.lid, bob.name, bob.is_admin) == ("5511999990003", "201110000000003@lid", None, False)


async def test_a_change_of_members_tells_what_became_of_each(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (
        201,
        {"updateParticipants": [{"status": "200", "jid": "1@lid"}, {"status": "403", "jid": "2@lid", "content": {}}]},
    )

    found = await client.change_members("shop-1", GROUP, "add", ["1@lid", "2@lid"])

    assert [(each.jid, each.status, each.is_done) for each in found] == [
        ("1@lid", "200", True),
        ("2@lid", "403", False),
    ]


async def test_an_invitation_is_a_link_and_its_code(evolution: FakeEvolution, client: Evolution) -> None:
    invite = Invite(code=CODE, url=f"https://chat.whatsapp.com/{CODE}")
    evolution.answer = lambda _: (200, {"inviteUrl": invite.url, "inviteCode": CODE, "revoked": True})

    assert await client.find_invite("shop-1", GROUP) == invite
    assert await client.revoke_invite("shop-1", GROUP) == invite


async def test_joining_tells_which_group_it_was(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, {"accepted": True, "groupJid": GROUP})

    assert await client.join_group("shop-1", CODE) == GROUP


async def test_an_answer_of_another_shape_gives_what_it_has(evolution: FakeEvolution, client: Evolution) -> None:
    evolution.answer = lambda _: (200, None)

    assert (await client.find_group("shop-1", GROUP)).jid is None
    assert await client.find_members("shop-1", GROUP) == []
    assert await client.find_groups("shop-1") == []


@pytest.mark.parametrize(
    "make",
    [
        lambda client: client.create_group("shop-1", "Team", "5511999990002"),
        lambda client: client.send_invite("shop-1", GROUP, "5511999990002"),
    ],
)
async def test_one_text_is_no_list_of_people(client: Evolution, make: Make) -> None:
    with pytest.raises(ValueError, match="expected a list of people"):
        await make(client)
