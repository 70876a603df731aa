"""A mapping: how the rows of a file become canonical events. Declared in YAML, see docs/replay.md."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from bellwether_cli.replay.template import (
    Condition,
    Fields,
    MappingError,
    Row,
    RowError,
    Template,
    Value,
    value,
)
from bellwether_cli.replay.threads import ThreadRule, link

Event = dict[str, object]
"""A canonical event as JSON would hold it."""

_MILLISECONDS_FROM = 1e11  # as seconds this would be the year 5138

_URI = "/:?#[]@!$&'()*+,;=~"

_TOP = frozenset(
    {"title", "columns", "source", "id", "time", "time_zone", "subject", "brand", "thread", "data", "events"}
)
_RULE = frozenset({"when", "type", "subject", "data"})


@dataclass(frozen=True, slots=True)
class Mapped:
    """A row and what became of it: an event, a reason why there is none, or neither if no rule meant it."""

    row: int
    event: Event | None = None
    fault: str | None = None
    brand_name: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows for which `when` holds become events of `type`; the first rule that holds is taken."""

    when: Condition
    type: str
    subject: Value | None
    data: Fields


@dataclass(frozen=True, slots=True)
class RowMapping:
    """Everything needed to turn the rows of one file into events."""

    title: str
    columns: frozenset[str]
    source: Template
    id: Template
    time: Value | None
    time_zone: tzinfo
    brand_slug: Value
    brand_name: Value
    thread: ThreadRule | None
    rules: tuple[Rule, ...]

    def events(self, rows: Iterable[Row], *, file: str, brand: str | None = None) -> Iterator[Mapped]:
        """One result per row, in the order of the rows; `brand` (slug) takes the place of the mapped one.

        Threads need the whole file at once; without them one row is in memory at a time.
        """
        if self.thread:
            rows = link([*rows], self.thread, lambda row: self._moment(row).timestamp())
        for number, row in enumerate(rows, start=1):
            yield self._mapped({**row, "file.name": file, "row.number": number}, number, brand)

    def _mapped(self, row: Row, number: int, brand: str | None) -> Mapped:
        try:
            rule = next((rule for rule in self.rules if rule.when.holds(row)), None)
            if rule is None:
                return Mapped(number)
            event = self._event(rule, row, brand)
        except RowError as error:
            return Mapped(number, fault=str(error))
        return Mapped(number, event, brand_name=_text(self.brand_name.read(row)))

    def _event(self, rule: Rule, row: Row, brand: str | None) -> Event:
        slug = _required("brand", brand or self.brand_slug.read(row))
        row = {**row, "brand.slug": slug}
        event: Event = {
            "specversion": "1.0",
            "id": _required("id", self.id.read(row)),
            "source": quote(_required("source", self.source.read(row)), safe=_URI),
            "type": rule.type,
        }
        if self.time:
            event["time"] = rfc3339(self._moment(row))
        if subject := _text(rule.subject.read(row) if rule.subject else None):
            event["subject"] = subject
        fields = rule.data.read(row)
        event["data"] = {"brand": slug, **(fields if isinstance(fields, dict) else {})}
        return event

    def _moment(self, row: Row) -> datetime:
        return moment(self.time.read(row) if self.time else None, self.time_zone)


def moment(raw: object, zone: tzinfo) -> datetime:
    """Time of an ISO 8601 text or of seconds or milliseconds since 1970; `zone` where the text names none.

    Raises RowError for anything else.
    """
    text = str(raw).strip() if raw is not None else ""
    try:
        if text.replace(".", "", 1).isdigit():
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise RowError(f"time: {text!r} is neither ISO 8601 nor seconds since 1970") from error
    return found if found.tzinfo else found.replace(tzinfo=zone)


def rfc3339(when: datetime) -> str:
    """The instant in UTC as RFC 3339 text with `Z`."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _required(name: str, found: object) -> str:
    if not (text := _text(found)):
        raise RowError(f"{name} is empty")
    return text


def _text(found: object) -> str | None:
    return None if found is None else str(found)


BUILT_IN = ("airline", "support")


def load(name: str) -> RowMapping:
    """A built-in mapping by its name, or one from a YAML file by its path.

    Raises MappingError naming the place for what cannot be understood.
    """
    if name in BUILT_IN:
        return parse(files(__package__).joinpath("mappings", f"{name}.yaml").read_text("utf-8"), name)
    path = Path(name)
    if not path.is_file():
        raise MappingError(f"--map {name}: neither {' nor '.join(BUILT_IN)} nor a file")
    return parse(path.read_text("utf-8"), path.name)


def guess(header: Iterable[str]) -> str | None:
    """Name of the built-in mapping whose columns are all in the header, or None."""
    present = set(header)
    return next((name for name in BUILT_IN if load(name).columns <= present), None)


def parse(text: str, where: str) -> RowMapping:
    """Read a mapping. Raises MappingError with the place of the first fault."""
    try:
        spec = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MappingError(f"{where}: {error}") from error
    spec = _object(spec, where, _TOP)
    common = _object(spec.get("data"), f"{where}: data")
    brand = spec.get("brand", "{brand|slug}")
    slug, name = (brand.get("slug"), brand.get("name")) if isinstance(brand, Mapping) else (brand, None)
    return RowMapping(
        title=str(spec.get("title", where)),
        columns=frozenset(map(str, _list(spec.get("columns"), f"{where}: columns"))),
        source=_template(spec.get("source", "/import/{file.name}"), f"{where}: source"),
        id=_template(spec.get("id", "{row.number}"), f"{where}: id"),
        time=value(spec["time"], f"{where}: time") if "time" in spec else None,
        time_zone=_zone(spec.get("time_zone", "UTC"), f"{where}: time_zone"),
        brand_slug=value(slug, f"{where}: brand.slug"),
        brand_name=value(name or slug, f"{where}: brand.name"),
        thread=_thread(spec.get("thread"), f"{where}: thread"),
        rules=tuple(
            _rule(rule, spec.get("subject"), common, f"{where}: events[{index}]")
            for index, rule in enumerate(_list(spec.get("events"), f"{where}: events", least=1))
        ),
    )


def _rule(spec: object, subject: object, common: Mapping[str, object], where: str) -> Rule:
    spec = _object(spec, where, _RULE)
    if not isinstance(spec.get("type"), str):
        raise MappingError(f"{where}.type: expected an event type such as social.mention.v1")
    subject = spec.get("subject", subject)
    fields = {**common, **_object(spec.get("data"), f"{where}.data")}
    return Rule(
        when=Condition.parse(spec.get("when"), f"{where}.when"),
        type=str(spec["type"]),
        subject=None if subject is None else value(subject, f"{where}.subject"),
        data=Fields({name: value(part, f"{where}.data.{name}") for name, part in fields.items()}),
    )


def _thread(spec: object, where: str) -> ThreadRule | None:
    if spec is None:
        return None
    fields = _object(spec, where, frozenset({"id", "parent", "owner"}))
    owner = _object(fields.get("owner"), f"{where}.owner", frozenset({"name", "when"}))
    return ThreadRule(
        id=_template(fields.get("id"), f"{where}.id"),
        parent=_template(fields.get("parent"), f"{where}.parent"),
        owner=_template(owner.get("name"), f"{where}.owner.name"),
        owner_when=Condition.parse(owner.get("when"), f"{where}.owner.when"),
    )


def _object(spec: object, where: str, known: frozenset[str] | None = None) -> Mapping[str, object]:
    if spec is None and known is None:
        return {}
    if not isinstance(spec, Mapping):
        raise MappingError(f"{where}: expected an object")
    if known is not None and (strange := sorted(set(map(str, spec)) - known)):
        raise MappingError(f"{where}: {', '.join(strange)} is not known here; there are {', '.join(sorted(known))}")
    return {str(name): part for name, part in spec.items()}


def _list(spec: object, where: str, least: int = 0) -> list[object]:
    found = [] if spec is None else spec
    if not isinstance(found, list) or len(found) < least:
        raise MappingError(f"{where}: expected a list" + (f" of at least {least}" if least else ""))
    return found


def _template(spec: object, where: str) -> Template:
    if not isinstance(spec, str):
        raise MappingError(f"{where}: expected text such as {{column}}")
    return Template.parse(spec, where)


def _zone(spec: object, where: str) -> tzinfo:
    try:
        return ZoneInfo(str(spec))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MappingError(f"{where}: no time zone {spec!r}") from error
