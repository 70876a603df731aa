"""Public benchmark bands by channel, each with where it was published. They are rules of thumb, not targets."""

from __future__ import annotations

from typing import Final

from bellwether.catalogue.kpi import Benchmark

_INSTAGRAM: Final = (
    "PromoRepublic, What is a good Instagram engagement rate (promorepublic.com): 1 to 3 % is ordinary, of which the "
    "middle is taken for good; above 3 % an audience is very engaged"
)
_FACEBOOK: Final = "SocialRails, What is a good engagement rate (socialrails.com): from 0.5 % good, above 1 % excellent"
_X: Final = "SocialRails, What is a good engagement rate (socialrails.com): from 0.09 % good, above 0.33 % excellent"
_BANDS: Final = (
    "New Rebellion, Social media engagement rate benchmarks (new-rebellion.com): the competitive band of the network"
)

ENGAGEMENT_BY_FOLLOWERS: Final = (
    Benchmark("instagram", good=2.0, great=3.0, source=_INSTAGRAM),
    Benchmark("facebook", good=0.5, great=1.0, source=_FACEBOOK),
    Benchmark("x", good=0.09, great=0.33, source=_X),
    Benchmark("linkedin", good=1.5, great=4.0, source=_BANDS),
    Benchmark("tiktok", good=2.0, great=5.0, source=_BANDS),
)
"""Of interactions per follower of a post, in percent."""
