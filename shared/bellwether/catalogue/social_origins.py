"""Which visits to a site are social: the networks by their channels, UTM parameters and hosts, as data."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

CHANNELS = frozenset(
    {
        "facebook", "instagram", "x", "linkedin", "youtube", "tiktok", "vk", "telegram", "zen", "pinterest", "reddit",
        "mastodon", "bluesky", "discord", "slack",
    }
)  # fmt: skip
"""The channels that are social networks: all that have a name of their own but the web and e-mail."""

UTM_SOURCES = CHANNELS | {
    "fb", "ig", "insta", "twitter", "yt", "vkontakte", "tg", "dzen", "threads", "snapchat", "whatsapp",
    "facebook.com", "instagram.com", "twitter.com", "x.com", "t.co", "linkedin.com", "youtube.com", "tiktok.com",
    "vk.com", "t.me", "dzen.ru", "pinterest.com", "reddit.com",
}  # fmt: skip
"""Values of `utm_source` that name a network, in lower case."""

UTM_MEDIUMS = frozenset(
    {
        "social", "social-media", "social_media", "socialmedia", "social media", "social-network", "social_network",
        "social network", "sm", "smm", "paid-social", "paid_social", "paidsocial", "paid social", "organic-social",
        "organic_social", "organic social", "social-paid", "social-organic", "influencer",
    }
)  # fmt: skip
"""Values of `utm_medium` that mean social, in lower case."""

HOSTS = frozenset(
    {
        "facebook.com", "fb.com", "fb.me", "messenger.com", "instagram.com", "threads.net", "threads.com", "x.com",
        "twitter.com", "t.co", "linkedin.com", "lnkd.in", "youtube.com", "youtu.be", "tiktok.com", "vk.com", "vk.ru",
        "vkontakte.ru", "ok.ru", "telegram.org", "telegram.me", "t.me", "dzen.ru", "zen.yandex.ru", "pinterest.com",
        "pin.it", "reddit.com", "redd.it", "mastodon.social", "joinmastodon.org", "bsky.app", "bsky.social",
        "discord.com", "discord.gg", "slack.com", "snapchat.com", "whatsapp.com", "wa.me", "tumblr.com", "quora.com",
    }
)  # fmt: skip
"""Hosts of networks and of their short links; whatever lies below one of them is social, too."""


def is_social(channel: str, utm_source: str | None, utm_medium: str | None, referrer: str | None) -> bool:
    """Whether a visit came from a social network: by its channel, its UTM parameters or its referrer."""
    return (
        channel in CHANNELS
        or (utm_source is not None and utm_source.strip().lower() in UTM_SOURCES)
        or (utm_medium is not None and utm_medium.strip().lower() in UTM_MEDIUMS)
        or (referrer is not None and _is_social_address(referrer))
    )


@lru_cache(maxsize=4096)
def _is_social_address(address: str) -> bool:
    labels = _host(address).split(".")
    return any(".".join(labels[start:]) in HOSTS for start in range(len(labels)))


def _host(address: str) -> str:
    """The host of an address, also of one without a scheme; empty where there is none."""
    try:
        return (urlsplit(address if "//" in address else f"//{address}").hostname or "").rstrip(".")
    except ValueError:  # such as an unfinished IPv6 address: no network's
        return ""
