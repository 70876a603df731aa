"""What of a social text is its wording, and what is addressed to machines."""

import re

# Patterns start with a literal or a set, which the regex engine can search for quickly.
_RETWEET = re.compile(r"\s*(?:(?:[rR][tT]\s+@\w+\s*:?\s*)+|RT\b\s*:?)")
# A mark at the end of a link is the author's emphasis, not a part of the address.
_ADDRESS = r"\S*[^\s!?.,;:)\]}\"']"
_LINK = re.compile(r"[hH][tT][tT][pP][sS]?://" + _ADDRESS)
_BARE_LINK = re.compile(r"w(?<!\ww)ww\." + _ADDRESS)
_HANDLE = re.compile(r"@(?<!\w@)\w+(?:@[\w.-]*\w)?")  # @name, @name@server; never an e-mail


def clean(text: str) -> str:
    """The text without @handles, links and a leading "RT @name:", which are not its wording."""
    if retweet := _RETWEET.match(text):
        text = text[retweet.end() :]
    if "://" in text:
        text = _LINK.sub("", text)
    if "www." in text:
        text = _BARE_LINK.sub("", text)
    if "@" in text:
        text = _HANDLE.sub("", text)
    return text.strip()
