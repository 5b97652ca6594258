"""The pause before the next worker grows with every end that came too soon."""

from gateway.serve.restarts import CALM, PAUSES, Restarts


def test_each_death_in_a_row_makes_the_pause_longer_up_to_a_limit() -> None:
    restarts = Restarts()
    pauses = []

    for _ in range(len(PAUSES) + 1):
        pauses.append(restarts.pause)
        restarts.died(lived=1.0)

    assert pauses == [*PAUSES, PAUSES[-1]]
    assert restarts.deaths == len(pauses)


def test_a_death_after_a_calm_life_begins_a_new_row() -> None:
    restarts = Restarts()
    for lived in (1.0, 1.0, 1.0, CALM + 1):
        restarts.died(lived)

    assert restarts.deaths == 1


def test_outgrowing_its_memory_is_no_death_but_soon_after_the_start_it_costs_a_pause() -> None:
    restarts = Restarts()

    restarts.outgrew(lived=CALM + 1)
    slow_leak = restarts.pause
    restarts.outgrew(lived=1.0)

    assert (slow_leak, restarts.pause, restarts.deaths) == (PAUSES[0], PAUSES[1], 0)


def test_a_worker_that_was_replaced_on_purpose_ends_the_row() -> None:
    restarts = Restarts()
    restarts.died(lived=1.0)

    restarts.replaced()

    assert (restarts.deaths, restarts.pause) == (0, 0.0)
