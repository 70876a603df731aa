"""The API key's format and what is stored of it."""

from __future__ import annotations

import io
import json
import logging
import re
import string

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.keys import ALPHABET, KEY_PATTERN, Caller, digest, format_key, key_id_of, new_key, pepper_id
from bellwether.observability.logging import configure, without_secrets

KEY = format_key("a" * 12, "b" * 43)


def test_a_new_key_has_its_shape_and_is_never_the_same() -> None:
    keys = {new_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(re.fullmatch(KEY_PATTERN, key) for key in keys)
    assert all(key_id_of(key) == key[3:15] for key in keys)


def test_the_format_is_fixed_for_ever() -> None:
    assert f"bw_{'a' * 12}_{'b' * 43}3tGykN" == KEY


@given(st.integers(0, len(KEY) - 1), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed_without_a_database(position: int, character: str) -> None:
    wrong = KEY[:position] + character + KEY[position + 1 :]
    assert (key_id_of(wrong) is None) == (wrong != KEY)


@given(st.text(max_size=80))
def test_other_texts_are_no_keys(text: str) -> None:
    assert key_id_of(text) is None


@pytest.mark.parametrize("text", ["", "bw_", KEY + "\n", " " + KEY, KEY.upper(), KEY[:-1] + "é", KEY + "a"])
def test_lookalikes_are_no_keys(text: str) -> None:
    assert key_id_of(text) is None


def test_parts_of_the_wrong_shape_make_no_key() -> None:
    with pytest.raises(ValueError, match="base62"):
        format_key("a_a", "b" * 43)


def test_what_is_stored_depends_on_key_and_pepper_and_tells_neither() -> None:
    assert len(digest("pepper", KEY)) == 32
    assert len({digest("pepper", KEY), digest("other", KEY), digest("pepper", new_key())}) == 3
    assert pepper_id("pepper") != pepper_id("other")
    assert set(pepper_id("pepper")) <= set(string.hexdigits)


def test_a_caller_sees_all_brands_or_those_of_its_key() -> None:
    everything = Caller(1, "t", "k", frozenset({"kpis:read"}), None)
    one = Caller(1, "t", "k", frozenset({"admin"}), frozenset({"acme"}))
    assert everything.sees("acme")
    assert (one.sees("acme"), one.sees("globex")) == (True, False)


def test_a_caller_may_what_its_key_carries_and_an_admin_everything() -> None:
    reader, admin = (Caller(1, "t", "k", frozenset({scope}), None) for scope in ("kpis:read", "admin"))
    assert (reader.may("kpis:read"), reader.may("events:write"), reader.may("admin")) == (True, False, False)
    assert (admin.may("kpis:read"), admin.may("events:write"), admin.may("admin")) == (True, True, True)


def test_no_log_line_shows_a_secret() -> None:
    entry = without_secrets(None, "", {"event": f"got {KEY} twice", "Authorization": "Basic abc", "count": 3})
    assert entry == {"event": f"got {KEY[:16]}*** twice", "Authorization": "***", "count": 3}


def test_logs_are_one_escaped_json_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.StringIO()
    monkeypatch.setattr("sys.stderr", output)
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        configure("test")
        structlog.get_logger("own").info("one\nline", user_agent="\x1b[31m\r\n", key=KEY)
        logging.getLogger("library").warning("hello %s", "there", extra={"more": 1})
    finally:
        root.handlers, root.level = before
        structlog.reset_defaults()
    own, library = map(json.loads, output.getvalue().splitlines())
    assert (own["event"], own["user_agent"], own["service"]) == ("one\nline", "\x1b[31m\r\n", "test")
    assert KEY[16:] not in output.getvalue()
    assert (library["event"], library["level"], library["more"]) == ("hello there", "warning", 1)
