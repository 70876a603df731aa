"""What social brings to the site and to sales: visits, leads, conversions."""

from __future__ import annotations

from bellwether.catalogue.areas import AWARENESS, BRAND, GENERAL, LEADS_AND_SALES, PERFORMANCE, TRAFFIC
from bellwether.catalogue.formula import Average, Growth, Ratio, Sum, total
from bellwether.catalogue.kpi import Control, Direction, Kind, Kpi, Unit
from bellwether.domain.windows import Window

_SESSION = "A session is social where its channel is a network, or its UTM parameters or its referrer name one."
_ATTRIBUTED = "Attribution is that of the sender; others have a part in it, too."

VISITS = (
    Kpi(
        key="social_website_traffic",
        title="Website traffic from social",
        meaning=f"Sessions on the brand's site that came from social. {_SESSION}",
        formula=Sum(total("sessions")),
        unit=Unit.COUNT,
        kra=AWARENESS,
        home=Window.MONTH,
    ),
    Kpi(
        key="social_website_traffic.growth",
        title="Growth of website traffic from social",
        meaning=f"Growth of sessions from social against the window before. {_SESSION}",
        formula=Growth(total("sessions")),
        unit=Unit.PERCENT,
        kra=AWARENESS,
        home=Window.MONTH,
    ),
    Kpi(
        key="social_traffic",
        title="Clicks through to the site",
        meaning="Clicks on content, as the networks count them. Clicks on advertising are not in it.",
        formula=Sum(total("clicks")),
        unit=Unit.COUNT,
        kra=TRAFFIC,
        also_shown=("sessions",),
        home=Window.MONTH,
    ),
    Kpi(
        key="social_traffic.growth",
        title="Growth of clicks through to the site",
        meaning="Growth of clicks on content against the window before.",
        formula=Growth(total("clicks")),
        unit=Unit.PERCENT,
        kra=TRAFFIC,
        home=Window.MONTH,
    ),
    Kpi(
        key="visit_duration",
        title="Duration of visits",
        meaning=f"Mean length of a session from social; every session weighs the same. {_SESSION}",
        formula=Average("session_seconds", "sessions"),
        unit=Unit.SECONDS,
        kra=TRAFFIC,
        home=Window.MONTH,
    ),
    Kpi(
        key="visit_depth",
        title="Depth of visits",
        meaning=f"Pages per session from social. {_SESSION}",
        formula=Average("session_pages", "sessions"),
        unit=Unit.PAGES,
        kra=TRAFFIC,
        home=Window.MONTH,
    ),
    Kpi(
        key="bounce_rate",
        title="Bounce rate",
        meaning=f"Sessions from social that its site counted as bounced, per session from social. {_SESSION}",
        formula=Ratio(total("bounces"), total("sessions")),
        unit=Unit.PERCENT,
        better=Direction.DOWN,
        kra=TRAFFIC,
        home=Window.MONTH,
    ),
    Kpi(
        key="target_audience_share",
        title="Share of the target audience",
        meaning="Sessions of visitors who are known to belong to the target audience, per session from social. A "
        f"session that says nothing of it counts as outside. {_SESSION}",
        formula=Ratio(total("target_sessions"), total("sessions")),
        unit=Unit.PERCENT,
        kra=TRAFFIC,
        home=Window.MONTH,
    ),
    Kpi(
        key="referrals",
        title="Referrals",
        meaning=f"Sessions from social that came over a link and tell its address. {_SESSION}",
        formula=Sum(total("referrals")),
        unit=Unit.COUNT,
        kra=GENERAL,
        also_shown=("sessions",),
        home=Window.MONTH,
    ),
    Kpi(
        key="brand_search_growth",
        title="Growth of searches for the brand",
        meaning="Growth of searches for the brand's terms against the window before.",
        formula=Growth(total("brand_searches")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=BRAND,
        home=Window.MONTH,
    ),
)

LEADS = (
    Kpi(
        key="social_leads",
        title="Leads",
        meaning=f"Leads that came in from social. {_ATTRIBUTED}",
        formula=Sum(total("leads")),
        unit=Unit.COUNT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=LEADS_AND_SALES,
        also_shown=("lead_visitors", "qualified_leads"),
        home=Window.MONTH,
    ),
    Kpi(
        key="social_leads.growth",
        title="Growth of leads",
        meaning=f"Growth of leads from social against the window before. {_ATTRIBUTED}",
        formula=Growth(total("leads")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=LEADS_AND_SALES,
        home=Window.MONTH,
    ),
    Kpi(
        key="qualified_lead_share",
        title="Share of qualified leads",
        meaning="Leads that sales found worth following in the window, per lead that came in within it.",
        formula=Ratio(total("qualified_leads"), total("leads")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=LEADS_AND_SALES,
        home=Window.MONTH,
    ),
    Kpi(
        key="lead_conversion_rate",
        title="Conversion of traffic to leads",
        meaning=f"Leads per session from social. {_SESSION}",
        formula=Ratio(total("leads"), total("sessions")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=AWARENESS,
        home=Window.MONTH,
    ),
)

SALES = (
    Kpi(
        key="social_traffic_conversion_rate",
        title="Conversion of social traffic",
        meaning=f"Conversions of every kind that are attributed to social, per session from social. {_SESSION}",
        formula=Ratio(total("conversions"), total("sessions")),
        unit=Unit.PERCENT,
        kind=Kind.LAGGING,
        kra=PERFORMANCE,
    ),
    Kpi(
        key="social_sales",
        title="Sales",
        meaning=f"Conversions of the kind sale that are attributed to social. {_ATTRIBUTED}",
        formula=Sum(total("sales")),
        unit=Unit.COUNT,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=LEADS_AND_SALES,
        also_shown=("content_conversions", "influencer_conversions"),
        home=Window.MONTH,
    ),
    Kpi(
        key="social_sales_volume",
        title="Sales volume",
        meaning="Value of conversions of the kind sale that are attributed to social, in the reporting currency; "
        f"amounts without a rate are left out and counted beside it. {_ATTRIBUTED}",
        formula=Sum(total("sale_value"), unit=1_000_000),
        unit=Unit.MONEY,
        kind=Kind.LAGGING,
        control=Control.INFLUENCED,
        kra=LEADS_AND_SALES,
        also_shown=("sales", "sale_value.unconverted"),
        home=Window.MONTH,
    ),
)

KPIS = (*VISITS, *LEADS, *SALES)
