"""Figures of a community in the middle of its life, as its services would show them."""

from shequn.cli.figures import Figures, Labels
from shequn.contracts.definitions.community import CommunityDefinition

BUCKETS = (("0.01", 50.0), ("0.1", 90.0), ("+Inf", 100.0))
CONSUMERS = ("engagement-chat", "moderation-chat", "commerce-payments", "funnels-commerce")


def busy_figures(definition: CommunityDefinition) -> Figures:
    """Make figures of some size for every funnel, product and group of a community."""
    samples: dict[str, dict[Labels, float]] = {}

    def put(name: str, value: float, **labels: str) -> None:
        samples.setdefault(name, {})[tuple(sorted(labels.items()))] = value

    of = {"community": definition.community}
    for funnel in definition.funnels:
        put("shequn_funnel_entered", 260, **of, funnel=funnel.funnel)
        for place, stage in enumerate(funnel.stages):
            reached = 260 // (place + 1)
            put("shequn_funnel_stage_reached", reached, **of, funnel=funnel.funnel, stage=stage.id)
            put("shequn_funnel_active", reached // 2, **of, funnel=funnel.funnel, stage=stage.id)
    for product in definition.products:
        put("shequn_commerce_orders_sold", 188, **of, product=product.id)
        put("shequn_commerce_revenue_minor", 6_000_000, **of, product=product.id)
    put("shequn_commerce_refunds_minor", 355_940, **of)
    put("shequn_commerce_commissions_held_minor", 288_514, **of)
    for group in definition.groups:
        put("shequn_engagement_messages", 1_824, **of, group=group.id)
        put("shequn_engagement_speakers", 131, **of, group=group.id)
    for check, decided in (("none", 3_634), ("ads", 14), ("bare-link", 22), ("gambling", 4), ("scam", 6)):
        put("shequn_moderation_decisions", decided, **of, check=check)
    put("shequn_moderation_sanctions", 31, **of, rung="remind")
    put("shequn_moderation_sanctions", 12, **of, rung="warn-private")
    for consumer in CONSUMERS:
        for bound, count in BUCKETS:
            put("shequn_event_age_seconds_bucket", count, consumer=consumer, le=bound)
    return Figures(samples)
