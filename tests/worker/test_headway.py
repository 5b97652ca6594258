"""A plugin is given more ahead the quicker it is, and nothing ahead once it is slow."""

from gateway.worker.headway import MOMENT, MOST, Headway

NOW = 0.0


def ended(headway: Headway, count: int) -> None:
    for _ in range(count):
        headway.note()


def test_a_plugin_that_has_ended_nothing_yet_is_given_nothing_ahead() -> None:
    assert Headway().ahead(NOW) == 0


def test_it_is_given_ahead_what_it_got_through_in_the_last_moment() -> None:
    headway = Headway()
    headway.ahead(NOW)
    ended(headway, 40)

    assert headway.ahead(NOW + MOMENT / 2) == 0
    assert headway.ahead(NOW + MOMENT * 2) == 20


def test_a_handler_that_has_become_slow_is_given_nothing_ahead_any_more() -> None:
    headway = Headway()
    headway.ahead(NOW)
    ended(headway, 40)
    headway.ahead(NOW + MOMENT)
    ended(headway, 2)

    assert headway.ahead(NOW + 1) == 0


def test_however_quick_it_is_the_number_is_bounded() -> None:
    headway = Headway()
    headway.ahead(NOW)
    ended(headway, 100_000)

    assert headway.ahead(NOW + MOMENT) == MOST
