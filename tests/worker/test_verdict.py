"""What an ended attempt means for its delivery."""

import pytest

from gateway.work import Delivery
from gateway.worker.verdict import Ended, Result, backoff, judge, survived

DELAYS = (1.0, 5.0)


def ended(result: Result, *, failures: int = 0, after: float | None = None) -> Ended:
    delivery = Delivery(id=1, seq=1, plugin="p", lane="a", failures=failures)
    return Ended(delivery=delivery, result=result, started=0.0, millis=1.0, after=after)


@pytest.mark.parametrize(("failures", "wait"), [(1, 1.0), (2, 5.0), (3, None)])
def test_each_failure_waits_as_configured_until_there_is_no_wait_left(failures: int, wait: float | None) -> None:
    assert backoff(failures, DELAYS) == wait


@pytest.mark.parametrize("result", ["done", "skipped", "dropped", "dead"])
def test_what_is_over_stays_as_it_ended(result: Result) -> None:
    assert judge(ended(result), DELAYS, 100.0) == result


def test_a_failure_is_tried_again_after_its_wait() -> None:
    attempt = ended("failed")

    assert judge(attempt, DELAYS, 100.0) == "waiting"
    assert (attempt.delivery.due, attempt.delivery.attempt) == (101.0, 2)


def test_the_last_failure_makes_a_dead_letter() -> None:
    assert judge(ended("failed", failures=2), DELAYS, 100.0) == "dead"


def test_a_retry_asked_for_waits_as_asked_and_never_makes_a_dead_letter() -> None:
    attempt = ended("retry", failures=50, after=30.0)

    assert judge(attempt, DELAYS, 100.0) == "waiting"
    assert attempt.delivery.due == 130.0


def test_a_retry_asked_for_is_no_failure_and_takes_none_of_the_tries() -> None:
    attempt = ended("retry", failures=1, after=0.0)

    judge(attempt, DELAYS, 100.0)

    assert (attempt.delivery.failures, attempt.delivery.attempt) == (1, 3)


def test_a_retry_without_a_time_waits_as_configured_and_then_as_the_last_delay_says() -> None:
    attempt = ended("retry")

    dues = []
    for _ in range(4):
        assert judge(attempt, DELAYS, 100.0) == "waiting"
        dues.append(attempt.delivery.due)

    assert dues == [101.0, 105.0, 105.0, 105.0]


def test_only_a_death_alone_counts_and_the_third_is_the_last() -> None:
    delivery = Delivery(id=1, seq=1, plugin="p", lane="a")

    assert survived(delivery)
    delivery.alone = True
    assert [survived(delivery) for _ in range(3)] == [True, True, False]
    assert delivery.deaths == 3
