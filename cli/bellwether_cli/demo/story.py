"""The three brands of the demo and the cell of time in which their events are drawn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

Event = dict[str, object]
"""A canonical event as JSON would hold it."""

HOUR = timedelta(hours=1)

# Share of a day's activity by local hour, 0 to 23: quiet nights, a bump at noon, the evening at its highest.
_BY_HOUR = (
    0.35, 0.22, 0.15, 0.12, 0.14, 0.25, 0.50, 0.85, 1.10, 1.20, 1.20, 1.25,
    1.40, 1.30, 1.15, 1.10, 1.15, 1.30, 1.50, 1.70, 1.75, 1.55, 1.10, 0.66,
)  # fmt: skip
_WEEKEND = 0.75
_SATURDAY = 5
_NORMAL_FROM = 30.0  # above this expectation a rounded normal is a good Poisson


@dataclass(frozen=True, slots=True)
class Brand:
    """An invented brand.

    `size` scales how much happens around it, `favour` (0…1) how well it is spoken of.
    """

    slug: str
    name: str
    time_zone: str
    currency: str
    competitors: tuple[str, ...]
    size: float
    favour: float
    followers: Mapping[str, int]
    influencer: str
    product: str
    desk_opens: int = 7
    desk_closes: int = 23
    crisis_at: datetime | None = None


BRANDS = (
    Brand(
        slug="aurora-coffee",
        name="Aurora Coffee",
        time_zone="Europe/Berlin",
        currency="EUR",
        competitors=("bean-there", "north-roast"),
        size=1.0,
        favour=0.70,
        followers={"instagram": 48_200, "facebook": 31_500, "x": 12_400, "youtube": 5_300, "tiktok": 22_800},
        influencer="lena-brews",
        product="cold brew",
    ),
    Brand(
        slug="peakline",
        name="Peakline Outdoor",
        time_zone="America/Denver",
        currency="USD",
        competitors=("summit-works",),
        size=0.7,
        favour=0.62,
        followers={
            "instagram": 91_000,
            "facebook": 40_100,
            "x": 18_900,
            "youtube": 27_400,
            "linkedin": 6_200,
        },
        influencer="trail-tom",
        product="rain jacket",
    ),
    Brand(
        slug="nimbus-mobile",
        name="Nimbus Mobile",
        time_zone="Asia/Kolkata",
        currency="INR",
        competitors=("zento", "airwave"),
        size=1.3,
        favour=0.45,
        followers={
            "instagram": 120_300,
            "facebook": 210_000,
            "x": 88_700,
            "youtube": 64_000,
            "linkedin": 15_800,
        },
        influencer="tech-tara",
        product="prepaid plan",
    ),
)


@dataclass(slots=True)
class Cell:
    """One hour of one strand (kind of activity) of one brand.

    Its random numbers hang on seed, brand, strand and hour alone, so that two streams of the same seed agree
    wherever they overlap.
    """

    brand: Brand
    strand: str
    hour: datetime
    seed: int
    intensity: float
    source: str
    rng: Random = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        self.rng = Random(f"{self.seed}/{self.brand.slug}/{self.strand}/{self.hour:%Y%m%d%H}")  # noqa: S311

    def local(self, when: datetime) -> datetime:
        """The moment on the brand's own clock."""
        return when.astimezone(ZoneInfo(self.brand.time_zone))

    def arrivals(self, per_day: float, *, scaled: bool = True) -> list[datetime]:
        """Moments in this hour of what happens `per_day` times a day on average, with the day's cycle."""
        local = self.local(self.hour)
        rate = per_day / 24 * _BY_HOUR[local.hour] * (_WEEKEND if local.weekday() >= _SATURDAY else 1.0)
        if scaled:
            rate *= self.brand.size * self.intensity
        return self.moments(poisson(self.rng, rate))

    def moments(self, count: int) -> list[datetime]:
        """That many moments of this hour, in order, to the millisecond."""
        offsets = sorted(self.rng.randrange(3_600_000) for _ in range(count))
        return [self.hour + timedelta(milliseconds=offset) for offset in offsets]

    def once_at(self, hour: int, minute: int = 0) -> list[datetime]:
        """The moment of the brand's day at this local time, if it falls into this hour."""
        local = self.local(self.hour)
        return [self.hour + timedelta(minutes=minute)] if local.hour == hour else []

    def new_id(self) -> str:
        """An id that is unique among everything of this brand and source."""
        self._count += 1
        return f"{self.strand}-{self.hour.astimezone(UTC):%Y%m%dT%H}-{self._count}"

    def event(self, kind: str, when: datetime, /, *, about: str | None = None, **data: object) -> Event:
        """A canonical event of this brand, `about` being its subject; fields that are None are left out."""
        event: Event = {
            "specversion": "1.0",
            "id": self.new_id(),
            "source": self.source,
            "type": kind,
            "time": when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "data": {"brand": self.brand.slug} | {name: value for name, value in data.items() if value is not None},
        }
        if about:
            event["subject"] = about
        return event

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability

    def person(self, prefix: str, of: int = 4000) -> str:
        """One of `of` people; some appear far more often than others."""
        return f"{prefix}-{int(of * self.rng.random() ** 2)}"

    def channel(self) -> str:
        """One of the brand's channels, larger ones more often."""
        names = [*self.brand.followers]
        return self.rng.choices(names, [self.brand.followers[name] for name in names])[0]


def poisson(rng: Random, mean: float) -> int:
    """A Poisson-distributed count."""
    if mean > _NORMAL_FROM:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
