"""What routes are given: the parts of the running service, the caller, and the brand in the path."""

from typing import Annotated

from fastapi import Depends, Header, Path, Request, Security

from bellwether.adapters.http.auth import caller, directory, visible_brand
from bellwether.adapters.postgres.definitions import Definitions
from bellwether.adapters.postgres.directory import Brand, Directory
from bellwether.domain.keys import Caller, Scope
from bellwether_api.alert_endpoints import Endpoints
from bellwether_api.alert_messages import Messages
from bellwether_api.alert_routes import AlertRoutes
from bellwether_api.backtests import Backtests
from bellwether_api.brands import Brands
from bellwether_api.cache import AnswerCache
from bellwether_api.campaigns import Campaigns
from bellwether_api.card_answers import CardAnswers
from bellwether_api.incident_steps import IncidentSteps
from bellwether_api.incidents import Incidents
from bellwether_api.integrity import Marks
from bellwether_api.issuing import IssuedCards
from bellwether_api.label import LabelReader
from bellwether_api.own_kpis import OwnDefinitions
from bellwether_api.receipts import ReceiptReader
from bellwether_api.scorecards import ScorecardReader
from bellwether_api.series import SeriesReader
from bellwether_api.shortcut import Shortcut
from bellwether_api.stream.streams import Streams
from bellwether_api.targets import Targets
from bellwether_api.values import ValueReader


class Parts:
    """The parts of a running service; `app.state.parts`."""

    def __init__(
        self,
        brands: Brands,
        values: ValueReader,
        series: SeriesReader,
        scorecards: ScorecardReader,
        issued: IssuedCards,
        labels: LabelReader,
        receipts: ReceiptReader,
        marks: Marks,
        incidents: Incidents,
        incident_steps: IncidentSteps,
        own: OwnDefinitions,
        definitions: Definitions,
        targets: Targets,
        cache: AnswerCache,
        cards: CardAnswers,
        endpoints: Endpoints,
        alert_routes: AlertRoutes,
        messages: Messages,
        shortcut: Shortcut,
        streams: Streams,
        backtests: Backtests,
        campaigns: Campaigns,
    ) -> None:
        self.brands = brands
        self.values = values
        self.series = series
        self.scorecards = scorecards
        self.issued = issued
        self.labels = labels
        self.receipts = receipts
        self.marks = marks
        self.incidents = incidents
        self.incident_steps = incident_steps
        self.own = own
        self.definitions = definitions
        self.targets = targets
        self.cache = cache
        self.cards = cards
        self.endpoints = endpoints
        self.alert_routes = alert_routes
        self.messages = messages
        self.shortcut = shortcut
        self.streams = streams
        self.backtests = backtests
        self.campaigns = campaigns


async def _parts(request: Request) -> Parts:
    found = request.app.state.parts
    assert isinstance(found, Parts)  # noqa: S101 - set by the service's lifespan
    return found


Running = Annotated[Parts, Depends(_parts)]
Reader = Annotated[Caller, Security(caller(Scope.KPIS_READ), scopes=[Scope.KPIS_READ.value])]
Writer = Annotated[Caller, Security(caller(Scope.KPIS_WRITE), scopes=[Scope.KPIS_WRITE.value])]

_Slug = Annotated[str, Path(description="The brand's slug.", examples=["acme-coffee"])]
_Known = Annotated[Directory, Depends(directory)]


async def _brand_to_read(brand: _Slug, who: Reader, known: _Known) -> Brand:
    return await visible_brand(known, who, brand)


async def _brand_to_change(brand: _Slug, who: Writer, known: _Known) -> Brand:
    return await visible_brand(known, who, brand)


BrandToRead = Annotated[Brand, Depends(_brand_to_read)]
BrandToChange = Annotated[Brand, Depends(_brand_to_change)]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="ETags that the caller has: 304 if one is still right.")
]
