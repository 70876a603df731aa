"""When a partition counts as stuck: it has lag and stands where it stood, whatever the others do."""

from __future__ import annotations

from bellwether_compute.watchdog import Standstill


def test_a_partition_that_lags_and_does_not_move_stands_still_though_others_move() -> None:
    standstill = Standstill()
    assert standstill.look({0: 5, 1: 5}, {0: 3, 1: 3}, 100.0) == {0: 0.0, 1: 0.0}
    assert standstill.look({0: 5, 1: 7}, {0: 3, 1: 9}, 130.0) == {0: 30.0, 1: 0.0}
    assert standstill.look({0: 5, 1: 9}, {0: 4, 1: 7}, 161.0) == {0: 61.0, 1: 0.0}


def test_who_moves_or_has_no_lag_or_went_away_begins_anew() -> None:
    standstill = Standstill()
    standstill.look({0: 5, 1: 5, 2: 5}, {0: 3, 1: 3, 2: 3}, 100.0)
    assert standstill.look({0: 6, 1: 5}, {0: 2, 1: 0, 2: 3}, 130.0) == {0: 0.0}
    assert standstill.look({0: 6, 1: 5, 2: 5}, {0: 2, 1: 1, 2: 3}, 140.0) == {0: 10.0, 1: 0.0, 2: 0.0}
