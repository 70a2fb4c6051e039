"""The dashboard of the funnel: from the first sign-up to the last commission, and whether the system keeps up.

Business figures are gauges that every replica of a service reads from the same store. So queries take the greatest of
the replicas first, and add up only what differs: groups, products, checks.
"""

from itertools import pairwise

from deploy.grafana.panels import Json, Query, bars, laid_out, lines, repeated, stacked, stat, variable

# The stages of the two ready funnels, in order: metrics carry no order. Other funnels show in the bars below them.
GROWTH = ("free", "low", "middle", "high", "referral")
SHOP_LOOP = ("attract", "settle", "activate", "convert", "repurchase", "fission", "participate")

_OF = 'community="$community"'
_WEEK = ', window="7"'
_CHOSEN = ', funnel=~"$funnel"'


def _each(metric: str, *labels: str, more: str = "") -> str:
    """The metric by labels, the replicas of a process counted once."""
    return f"max by ({', '.join(labels)}) ({metric}{{{_OF}{more}}})"


def _one(metric: str) -> str:
    """The one series of the community."""
    return f"max({metric}{{{_OF}}})"


def _major(expr: str) -> str:
    """Money in major units: metrics carry minor units, exactly. A panel shows hundredths, and rounds thousandths."""
    return f"{expr} / on () group_left () (10 ^ {_one('shequn_commerce_currency_digits')})"


def _conversions(funnel: str, stages: tuple[str, ...]) -> list[Query]:
    def reached(stage: str) -> str:
        return f'max(shequn_funnel_stage_reached{{{_OF}, funnel="{funnel}", stage="{stage}"}})'

    return [Query(f"{reached(after)} / {reached(before)}", f"{before} → {after}") for before, after in pairwise(stages)]


_HEADLINES = (
    stat(
        "进入漏斗 / Entered",
        "Enrollments begun in the funnels that are chosen.",
        f"sum({_each('shequn_funnel_entered', 'funnel', more=_CHOSEN)})",
    ),
    stat(
        "收入 / Revenue",
        "Prices of accepted orders, in major units, refunds not deducted.",
        _major(f"sum({_each('shequn_commerce_revenue_minor', 'product')})"),
        decimals=2,
    ),
    stat(
        "退款 / Refunds",
        "What went back, in major units.",
        _major(f"sum({_each('shequn_commerce_refunds_minor', 'product')})"),
        decimals=2,
    ),
    stat(
        "订单 / Orders",
        "Accepted orders, refunded ones among them.",
        f"sum({_each('shequn_commerce_orders_sold', 'product')})",
    ),
    stat(
        "复购客户 / Repeat customers",
        "Members with two accepted orders or more: the first order counts as a trial.",
        _one("shequn_commerce_repeat_customers"),
    ),
    stat(
        "待付佣金 / Held commissions",
        "Commissions that wait until refunds are over, in major units.",
        _major(_one("shequn_commerce_commissions_held_minor")),
        decimals=2,
    ),
    stat("消息 / Messages", "Messages posted in all groups.", f"sum({_each('shequn_engagement_messages', 'group')})"),
    stat(
        "发言人数 / Distinct speakers",
        "Members who ever posted. Four or five talkers make a group look alive: read it beside the messages.",
        _one("shequn_engagement_community_speakers"),
    ),
)

_FUNNELS = (
    repeated(
        bars(
            "$funnel：到达各阶段 / $funnel: stages reached",
            "Enrollments that reached each stage so far.",
            Query(f"sort_desc({_each('shequn_funnel_stage_reached', 'stage', more=_CHOSEN)})", "{{stage}}"),
            width=12,
        ),
        "funnel",
    ),
    bars(
        "成长漏斗：阶段转化 / Growth funnel: stage to stage",
        "Of those who reached a stage, the share that reached the next.",
        *_conversions("growth", GROWTH),
        width=12,
        unit="percentunit",
        decimals=1,
    ),
    bars(
        "社群电商闭环：阶段转化 / Shop loop: stage to stage",
        "Of those who reached a stage, the share that reached the next. Members may buy before they speak: over 100 %.",
        *_conversions("shop-loop", SHOP_LOOP),
        width=12,
        unit="percentunit",
        decimals=1,
    ),
)

_MONEY = (
    bars(
        "各产品收入 / Revenue by product",
        "Prices of accepted orders, in major units, refunds not deducted.",
        Query(f"sort_desc({_major(_each('shequn_commerce_revenue_minor', 'product'))})", "{{product}}"),
        decimals=2,
    ),
    stacked(
        lines(
            "各产品订单 / Orders by product",
            "Accepted orders so far.",
            Query(_each("shequn_commerce_orders_sold", "product"), "{{product}}"),
        )
    ),
    lines(
        "客户 / Customers",
        "Members with an accepted order, and with two or more.",
        Query(_one("shequn_commerce_customers"), "客户 / customers"),
        Query(_one("shequn_commerce_repeat_customers"), "复购 / repeat"),
        Query(_one("shequn_commerce_referrals"), "被推荐 / referred"),
    ),
)

_COMMUNITY = (
    lines(
        "各群消息与发言人数 / Messages and distinct speakers by group",
        "Messages so far, and how many members they come from.",
        Query(_each("shequn_engagement_messages", "group"), "{{group}} 消息 / messages"),
        Query(_each("shequn_engagement_speakers", "group"), "{{group}} 发言人 / speakers"),
    ),
    lines(
        "今日参与率 / Participation today",
        "Members who posted or replied today, of those seen today, in the community's zone.",
        Query(_one("shequn_engagement_participation_ratio"), "参与率 / participation"),
        unit="percentunit",
        decimals=1,
    ),
    bars(
        "活跃层级（7 天） / Activity tiers, 7 days",
        "High writes, middle answers, low only reacts. 高：原创；中：回复；低：只点赞。",
        Query(_each("shequn_engagement_members_by_tier", "tier", more=_WEEK), "{{tier}}"),
    ),
)

_ORDER = (
    bars(
        "审核结论 / Moderation decisions by check",
        "Messages judged so far, by verdict and the check that decided; none: every check passed.",
        Query(
            f"sort_desc({_each('shequn_moderation_decisions', 'verdict', 'check')})",
            "{{verdict}} · {{check}}",
        ),
        width=12,
    ),
    bars(
        "处罚 / Sanctions",
        "Sanctions imposed so far, by rung of the ladder.",
        Query(f"sort_desc({_each('shequn_moderation_sanctions', 'rung')})", "{{rung}}"),
        width=12,
    ),
)


def _age(quantile: float) -> str:
    rates = "rate(shequn_event_age_seconds_bucket[$__rate_interval])"
    return f"histogram_quantile({quantile}, sum by (consumer, le) ({rates}))"


_SYSTEM = (
    lines(
        "事件时延 / Event age",
        "Real time from acceptance to the committed effect: half of the events are faster than p50, 99 % than p99.",
        Query(_age(0.5), "{{consumer}} p50"),
        Query(_age(0.99), "{{consumer}} p99"),
        width=12,
        unit="s",
        decimals=3,
    ),
    lines(
        "积压 / Waiting events",
        "Events that no batch has taken yet, by consumer.",
        Query("max by (consumer) (shequn_consumer_pending)", "{{consumer}}"),
        width=12,
    ),
    bars(
        "死信 / Dead letters",
        "Events given up since the processes started, by consumer and reason: `shequn dlq list` shows them.",
        Query("sum by (consumer, reason) (shequn_dead_letters_total) or vector(0)", "{{consumer}} {{reason}}"),
        width=12,
    ),
    bars(
        "就绪 / Readiness",
        "1: the process can work. 0: GET /readyz says why not.",
        Query("min by (service) (shequn_ready)", "{{service}}"),
        width=12,
    ),
)

DASHBOARD: Json = {
    "uid": "shequn-funnel",
    "title": "增长漏斗 / Growth funnel",
    "description": "From sign-up to commission. Written by `python -m deploy.grafana`; change the code, not this file.",
    "tags": ["shequn"],
    "schemaVersion": 41,
    "editable": False,
    "timezone": "browser",
    "refresh": "15s",
    "time": {"from": "now-6h", "to": "now"},
    "templating": {
        "list": [
            variable("community", "社群 / Community", "label_values(shequn_funnel_entered, community)"),
            variable(
                "funnel",
                "漏斗 / Funnel",
                'label_values(shequn_funnel_entered{community="$community"}, funnel)',
                several=True,
            ),
        ]
    },
    "panels": laid_out(
        [
            ("总览 / Overview", _HEADLINES),
            ("漏斗 / Funnels", _FUNNELS),
            ("收入 / Money", _MONEY),
            ("社群 / Community", _COMMUNITY),
            ("秩序 / Order", _ORDER),
            ("系统 / System", _SYSTEM),
        ]
    ),
}
