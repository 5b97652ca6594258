"""How fast messages leave, on numbers alone."""

import pytest

from gateway.config.settings import Pace
from gateway.worker.outbox.pace import Bucket, Pacer

ANA, BIA = "5511999990002@s.whatsapp.net", "5511999990003@s.whatsapp.net"


def test_a_quarter_of_a_minute_goes_at_once_and_the_rest_evenly() -> None:
    bucket = Bucket(20)

    waits = [bucket.take(0.0) for _ in range(8)]

    assert waits == [0, 0, 0, 0, 0, 3, 6, 9]


def test_a_bucket_fills_up_again_but_never_over_its_brim() -> None:
    bucket = Bucket(20)
    for _ in range(5):
        bucket.take(0.0)

    after_a_while = [bucket.take(6.0) for _ in range(3)]
    after_an_hour = [bucket.take(3600.0) for _ in range(6)]

    assert after_a_while == [0, 0, 3]
    assert after_an_hour == [0, 0, 0, 0, 0, 3]


def test_a_clock_set_back_gives_no_tokens_and_takes_none() -> None:
    bucket = Bucket(20)
    for _ in range(5):
        bucket.take(1000.0)

    assert bucket.take(0.0) == 3


def test_one_chats_flood_holds_up_no_other_chat() -> None:
    pacer = Pacer(Pace(chat=4), float)
    for _ in range(10):
        pacer.chat_wait(ANA, 0.0)

    assert pacer.chat_wait(BIA, 0.0) == 0


def test_chats_that_were_quiet_for_long_are_forgotten() -> None:
    pacer = Pacer(Pace(), float)
    for n in range(100):
        pacer.chat_wait(f"{n}@s.whatsapp.net", 0.0)

    pacer.chat_wait(ANA, 3600.0)

    assert list(pacer._chats) == [ANA]


def test_the_gap_between_two_messages_is_drawn_and_bounded() -> None:
    draws = iter([0.0, 0.5, 0.999])
    pacer = Pacer(Pace(instance=6000, gap=2), lambda: next(draws))

    gaps = [pacer.instance_wait(float(n)) for n in range(3)]

    assert gaps == pytest.approx([0, 1, 1.998])


@pytest.mark.parametrize(
    ("kind", "text", "seconds"),
    [("text", "a" * 10, 0.7), ("text", "a" * 1000, 4), ("media", "", 0.4), ("reaction", "", 0), ("read", "", 0)],
)
def test_typing_lasts_as_long_as_the_text_asks_for(kind: str, text: str, seconds: float) -> None:
    assert Pacer(Pace(), float).typing(kind, text) == pytest.approx(seconds)


def test_off_means_at_once() -> None:
    pacer = Pacer("off", float)

    waits = [(pacer.chat_wait(ANA, 0), pacer.instance_wait(0), pacer.typing("text", "hello")) for _ in range(100)]

    assert set(waits) == {(0, 0, 0)}
