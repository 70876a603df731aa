"""What a crisis was made of, for people to read."""

from collections.abc import Mapping
from typing import Any

from bellwether_cli import terminal

_WHY = {
    "not_yet": "evidence is not collected yet",
    "too_old": "no evidence: the steps are too old to collect any",
}


def say(evidence: Mapping[str, Any]) -> None:
    """Print the evidence of the opening, and that of the peak where it is another one."""
    opening, peak = evidence["opening"], evidence["peak"]
    if opening is not None:
        _say("at the opening", opening)
    if peak is not None and peak != opening:
        _say("at the peak", peak)
    if evidence["missing"]:
        terminal.say(f"\n{_WHY[evidence['missing']]}")


def _say(when: str, told: Mapping[str, Any]) -> None:
    where = told["channel"] or "all channels"
    how_much = "all texts" if told["complete"] else "the latest texts and samples of the rest"
    terminal.say(f"\nevidence {when}: {where}, {told['since']} to {told['as_of']} ({how_much})")
    terminal.say(f"sentiment {_sounds(told['sentiment'])}; the day before {_sounds(told['sentiment_before'])}")
    terminal.table(
        ("term", "texts", "day before", "G²"),
        [(term["term"], term["texts"], term["usual"], term["g2"]) for term in told["terms"]],
        numbers=("texts", "day before", "G²"),
    )
    terminal.table(
        ("channel", "texts", "share", "day before"),
        [(one["channel"], one["texts"], _percent(one["share"]), _percent(one["usual"])) for one in told["channels"]],
        numbers=("texts", "share", "day before"),
    )
    terminal.table(
        ("author", "channel", "followers", "texts", "negative"),
        [_author(one) for one in told["authors"]],
        numbers=("followers", "texts", "negative"),
    )
    terminal.table(
        ("at", "channel", "author", "reach", "score", "copies", "post"),
        [_post(one) for one in told["posts"]],
        numbers=("reach", "score", "copies"),
    )


def _sounds(told: Mapping[str, Any]) -> str:
    if told["net"] is None:
        return f"unknown ({told['reason']})"
    return f"{told['net']:+g} of {told['scored']} texts, {told['negative']} negative"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f} %"


def _author(one: Mapping[str, Any]) -> tuple[object, ...]:
    return one["name"] or one["author"], one["channel"], one["followers"], one["texts"], one["negative"]


def _post(one: Mapping[str, Any]) -> tuple[object, ...]:
    said = " ".join(one["excerpt"].split())
    by = one["name"] or one["author"]
    link = f" {one['url']}" if one["url"] else ""
    return one["at"], one["channel"], by, one["reach"], one["score"], one["copies"], said + link
