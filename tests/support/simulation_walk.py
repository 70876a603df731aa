"""A walk through a simulated world at random: faults of every kind, and then rest."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.simulation import World

Act = Callable[[World], None]


def walk(world: World, steps: int = 300) -> None:
    """Go at random through so many steps with faults, and then to rest."""
    random = world.random
    world.start(0)
    world.start(1)
    world.share_out(told=(0, 1))
    for _ in range(steps):
        if random.random() < 0.06:
            random.choice(_ACTS)(world)
        if not world.in_flight:
            world.produce(random.randint(1, 6))
        turns = world.turns()
        if not turns:
            world.pass_time(0.3)
            continue
        drawn, pending = random.random(), random.choice(turns)
        if pending.point == "begin" and drawn > 0.75:
            _take_over(world, pending.life.number)
            continue
        world.go(pending, "fail" if drawn < 0.03 else "lose" if drawn < 0.2 else "go")
    world.come_to_rest()


def _crash_and_restart(world: World) -> None:
    number = world.random.choice(sorted(world.lives))
    world.crash(number)
    world.start(number)
    if world.random.random() < 0.7:
        world.share_out(told=[n for n in world.lives if world.random.random() < 0.8])


def _share_out(world: World) -> None:
    world.share_out(told=[n for n in sorted(world.lives) if world.random.random() < 0.6])


def _hear(world: World) -> None:
    world.tell(world.random.choice(sorted(world.lives)))


def _abort_idle(world: World) -> None:
    """The server ends a transaction of somebody who does nothing."""
    idle = [pending for pending in world.pending if pending.life.frozen]
    if idle:
        world.go(world.random.choice(idle), "fail")


def _take_over_somebody(world: World) -> None:
    _take_over(world, world.random.choice(sorted(world.lives)))


def _take_over(world: World, number: int) -> None:
    """One freezes, and the others get what was its own: when it wakes, it is a zombie."""
    _thaw(world)
    world.lives[number].frozen = True
    others = [n for n in sorted(world.lives) if n != number]
    world.share_out(told=others, among=others)


def _thaw(world: World) -> None:
    for life in world.lives.values():
        life.frozen = False


_ACTS: tuple[Act, ...] = (
    *(_crash_and_restart, _share_out, _hear),
    *(_take_over_somebody, _thaw, _abort_idle),
)
