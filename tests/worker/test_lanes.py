"""Order within a lane, freedom across lanes, whatever comes and ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.work import Delivery
from gateway.worker.lanes import Lanes

NOW = 1000.0


def delivery(number: int, lane: str = "a", *, again: bool = False) -> Delivery:
    return Delivery(id=number, seq=number, plugin="p", lane=lane, control=int(again))


def test_a_lane_runs_one_delivery_at_a_time_in_order() -> None:
    lanes = Lanes()
    first, second = delivery(1), delivery(2)
    lanes.add(first)
    lanes.add(second)

    assert lanes.start(10, NOW) == [first]
    assert lanes.start(10, NOW) == []
    lanes.end(first)
    assert lanes.start(10, NOW) == [second]


def test_lanes_run_beside_each_other_up_to_the_limit() -> None:
    lanes = Lanes()
    for number, lane in enumerate("abc", start=1):
        lanes.add(delivery(number, lane))

    assert [each.lane for each in lanes.start(2, NOW)] == ["a", "b"]
    assert [each.lane for each in lanes.start(2, NOW)] == ["c"]


def test_a_lane_whose_delivery_failed_is_closed_until_it_is_due_and_no_other_passes_it() -> None:
    lanes = Lanes()
    first, second = delivery(1), delivery(2)
    lanes.add(first)
    lanes.add(second)
    lanes.start(1, NOW)
    first.due = NOW + 5
    lanes.retry(first)

    assert lanes.next_due() == NOW + 5
    assert lanes.start(10, NOW + 4.9) == []
    assert lanes.start(10, NOW + 5) == [first]


def test_without_order_every_delivery_is_a_lane_of_its_own() -> None:
    lanes = Lanes("none")
    for number in range(3):
        lanes.add(delivery(number))

    assert len(lanes.start(10, NOW)) == 3


def test_a_delivery_that_is_not_first_in_its_lane_cannot_be_picked() -> None:
    lanes = Lanes()
    first, second = delivery(1), delivery(2)
    lanes.add(first)
    lanes.add(second)

    assert not lanes.start_one(second, NOW)
    assert lanes.start_one(first, NOW)


def test_counts_say_what_waits_and_what_runs() -> None:
    lanes = Lanes()
    for number in range(3):
        lanes.add(delivery(number))
    started = lanes.start(10, NOW)

    assert (lanes.waiting, lanes.running, lanes.open) == (2, 1, 0)
    lanes.end(started[0])
    assert (lanes.waiting, lanes.running, lanes.open) == (2, 0, 1)


def test_what_is_asked_for_again_goes_behind_everything_that_came_in_its_lane_and_in_others() -> None:
    lanes = Lanes()
    again, same, other = delivery(1, again=True), delivery(2), delivery(3, "b")
    for each in (again, same, other):
        lanes.add(each)

    assert lanes.start(1, NOW) == [same]
    assert lanes.start(9, NOW) == [other]
    lanes.end(same)
    assert lanes.start(9, NOW) == [again]


def test_what_came_passes_one_asked_for_again_that_failed_and_waits() -> None:
    lanes = Lanes()
    again, came = delivery(1, again=True), delivery(2)
    lanes.add(again)
    lanes.start(1, NOW)
    lanes.add(came)
    again.due = NOW + 60
    lanes.retry(again)

    assert lanes.start(9, NOW) == [came]
    lanes.end(came)
    assert (lanes.start(9, NOW), lanes.next_due()) == ([], NOW + 60)
    assert lanes.start(9, NOW + 60) == [again]


def test_what_is_asked_for_again_waits_for_one_that_failed_before_it() -> None:
    lanes = Lanes()
    came, again = delivery(1), delivery(2, again=True)
    lanes.add(came)
    lanes.start(1, NOW)
    lanes.add(again)
    came.due = NOW + 5
    lanes.retry(came)

    assert lanes.start(9, NOW + 4) == []
    assert lanes.start(9, NOW + 5) == [came]


def test_what_is_asked_for_again_leaves_places_free_for_what_comes() -> None:
    lanes = Lanes()
    for number in range(8):
        lanes.add(delivery(number, f"lane-{number}", again=True))

    assert len(lanes.start(8, NOW, again=4)) == 4
    assert lanes.start(4, NOW, again=4) == []
    lanes.add(delivery(9, "live"))
    assert [each.id for each in lanes.start(4, NOW, again=4)] == [9]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "again", "start", "end", "fail"]), st.integers(0, 3)), max_size=80))
def test_whatever_happens_each_lane_hands_out_its_deliveries_in_order_and_loses_none(
    steps: list[tuple[str, int]],
) -> None:
    lanes, now = Lanes(), NOW
    added: dict[tuple[str, bool], list[int]] = {}
    handed: dict[tuple[str, bool], list[int]] = {}
    running: list[Delivery] = []

    def start(limit: int) -> None:
        running.extend(started := lanes.start(limit, now))
        assert len({each.lane for each in running}) == len(running)
        for each in started:
            came = (each.lane, False)
            assert not each.is_again or added.get(came, []) == handed.get(came, [])

    def end(ended: Delivery) -> None:
        lanes.end(ended)
        handed.setdefault((ended.lane, ended.is_again), []).append(ended.id)

    for number, (step, pick) in enumerate(steps):
        now += 1
        if step in ("add", "again"):
            lanes.add(delivery(number, f"lane-{pick}", again=step == "again"))
            added.setdefault((f"lane-{pick}", step == "again"), []).append(number)
        elif step == "start":
            start(pick)
        elif running:
            ended = running.pop(pick % len(running))
            ended.due = now + pick
            {"end": end, "fail": lanes.retry}[step](ended)

    while lanes.waiting or running:
        now += 10
        start(10)
        while running:
            end(running.pop())
    assert handed == added
    assert (lanes.ready, lanes.next_due(), lanes._lanes) == (0, None, {})
