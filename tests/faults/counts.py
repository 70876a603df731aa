"""How often a scenario repeats what it tries."""

from __future__ import annotations

from tests.faults.profile import Profile


def times(profile: Profile, short: int, long: int) -> int:
    """The count of this run: a few times in every test run, as often as promised in a long one."""
    return long if profile.is_long else short


def seconds(profile: Profile, short: float, long: float) -> float:
    """The length of an outage in this run."""
    return long if profile.is_long else short
