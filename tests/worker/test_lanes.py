"""Order within a lane, freedom across lanes, whatever comes and ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.work import Delivery
from gateway.worker.lanes import Lanes

NOW = 1000.0


def delivery(number: int, lane: str = "a") -> Delivery:
    return Delivery(id=number, seq=number, plugin="p", lane=lane)


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


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "start", "end", "fail"]), st.integers(0, 3)), max_size=80))
def test_whatever_happens_each_lane_hands_out_its_deliveries_in_order_and_loses_none(
    steps: list[tuple[str, int]],
) -> None:
    lanes, now = Lanes(), NOW
    added: dict[str, list[int]] = {}
    handed: dict[str, list[int]] = {}
    running: list[Delivery] = []
    for number, (step, pick) in enumerate(steps):
        now += 1
        if step == "add":
            lanes.add(delivery(number, f"lane-{pick}"))
            added.setdefault(f"lane-{pick}", []).append(number)
        elif step == "start":
            running += lanes.start(pick, now)
        elif running:
            ended = running.pop(pick % len(running))
            if step == "end":
                lanes.end(ended)
                handed.setdefault(ended.lane, []).append(ended.id)
            else:
                ended.due = now + pick
                lanes.retry(ended)
        assert len({each.lane for each in running}) == len(running)

    while lanes.waiting or running:
        running += lanes.start(10, now := now + 10)
        for each in running:
            lanes.end(each)
            handed.setdefault(each.lane, []).append(each.id)
        running.clear()
    assert handed == added
