"""What an event is about: a content item, a conversation, an audience at a moment."""

from __future__ import annotations

from typing import Any

from bellwether.wire.events import (
    AudienceSnapshot,
    ContentMetrics,
    ContentPublished,
    Interaction,
    MessageReceived,
    MessageSent,
)
from bellwether_compute.state import ConversationKey, ItemKey
from bellwether_compute.taking import Taken, moment_of

_ABOUT_ITEMS = frozenset({ContentPublished, ContentMetrics, Interaction})
_MESSAGES = frozenset({MessageReceived, MessageSent})


def item_key(taken: Taken) -> ItemKey | None:
    """The content item that an event is about, if any."""
    if type(taken.event) not in _ABOUT_ITEMS:
        return None
    data: Any = taken.event.data
    return (data.channel, data.content_id) if data.content_id else None


def conversation_key(taken: Taken) -> ConversationKey | None:
    """The conversation that an event belongs to, if any."""
    if type(taken.event) not in _MESSAGES:
        return None
    data: Any = taken.event.data
    return data.channel, data.conversation_id


def level_moment(taken: Taken, event: AudienceSnapshot) -> int:
    """When an audience had its size, in UTC seconds."""
    return moment_of(event.data.observed_at, taken.record) if event.data.observed_at else taken.time
