"""Load a community folder: read, check against the surface, compile, lint. All findings are reported together."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from shequn.contracts.definitions import CommunityDefinition
from shequn.contracts.definitions.funnel import FunnelDefinition
from shequn.contracts.definitions.products import ProductDefinition, ReferralPolicy
from shequn.definitions.compiler.community import (
    check_identity,
    check_isooc,
    compile_engagement,
    compile_goal,
    compile_groups,
    keep_the_rest,
)
from shequn.definitions.compiler.context import Context, ids_in, names_in
from shequn.definitions.compiler.funnel import compile_funnel
from shequn.definitions.compiler.messages import compile_messages, message_ids
from shequn.definitions.compiler.products import compile_products
from shequn.definitions.compiler.referral import compile_referral
from shequn.definitions.compiler.rules import compile_rules
from shequn.definitions.compiler.words import merge_lists
from shequn.definitions.errors import DefinitionError, Notice, Report
from shequn.definitions.files import COMMUNITY, PRODUCTS, Folder, read_folder
from shequn.definitions.source import Place, Source
from shequn.definitions.surface.base import validate
from shequn.definitions.surface.community import CommunityFile
from shequn.definitions.surface.funnel import FunnelFile
from shequn.definitions.surface.message import MessageFile
from shequn.definitions.surface.products import ProductsFile
from shequn.definitions.surface.referral import ReferralFile


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A sound definition, and what its author should know about it. The version is 0: `apply` gives the real one."""

    definition: CommunityDefinition
    notices: tuple[Notice, ...]


def load_folder(path: Path) -> LoadResult:
    """Load a community folder.

    Raises:
        DefinitionError: with every problem of every file, in the order that it describes.
    """
    report = Report()
    folder = read_folder(path, report)
    definition = _compile(folder, report)
    if report.problems or definition is None:
        raise DefinitionError(report.problems)
    return LoadResult(definition, report.notices)


def _compile(folder: Folder, report: Report) -> CommunityDefinition | None:
    source = folder.community or Source(COMMUNITY, data={})
    file = validate(CommunityFile, source, report) if folder.community else CommunityFile()
    place = Place(source, report)
    context = _context(file, folder, report)
    parts = _community_parts(file, place, folder, context)
    products = _compile_products(folder, context)
    referral, stay = _compile_referral(folder, context)
    funnels = _compile_funnels(folder, products, context)
    # Messages come last: only now it is known which step sends what.
    read = [(validate(MessageFile, source, report), Place(source, report)) for source in folder.messages]
    messages = compile_messages(read, context)
    if report.problems:
        return None
    return context.build(
        CommunityDefinition,
        place,
        **parts,
        products=products,
        referral=referral,
        stay=stay,
        funnels=funnels,
        messages=messages,
        extras=context.extras,
    )


def _context(file: CommunityFile, folder: Folder, report: Report) -> Context:
    raw = folder.community.data if folder.community else None
    written = raw.get("languages") if isinstance(raw, dict) else None
    languages_are_known = folder.community is not None and (written is None or written == list(file.languages))
    return Context(
        report,
        languages=file.languages if languages_are_known else (),
        products=_product_ids(folder),
        messages=_message_ids(folder),
    )


def _product_ids(folder: Folder) -> frozenset[str] | None:
    """Give the ids of the products; none when they cannot be told."""
    if PRODUCTS in folder.unread:
        return None
    data = folder.products.data if folder.products else {"products": []}
    return ids_in(data, "products") if isinstance(data, dict) and "products" in data else None


def _message_ids(folder: Folder) -> frozenset[str] | None:
    """Give the ids of the messages; none when they cannot be told."""
    found = [message_ids(source) for source in folder.messages]
    known = [ids for ids in found if ids is not None]
    if len(known) < len(found) or folder.lacks("messages/"):
        return None
    return frozenset[str]().union(*known)


def _community_parts(file: CommunityFile, place: Place, folder: Folder, context: Context) -> dict[str, Any]:
    """Compile what stands in community.yaml, by the names of the compiled fields."""
    raw = place.source.data
    if folder.community:
        context.currency_digits = check_identity(file, place)
        check_isooc(place)
        keep_the_rest(file, place, context)
    words = merge_lists(file.words, place / "words", folder.words)
    named = names_in(raw, "words")
    context.kinds = None if named is None or folder.lacks("words/") else named | words.keys()
    return {
        "community": file.community,
        "name": context.text(file.name, place / "name"),
        "timezone": file.timezone,
        "currency": file.currency,
        "currency_digits": context.currency_digits,
        "languages": file.languages,
        "tags": file.interest.tags if file.interest else (),
        "purpose": file.interest.purpose if file.interest else (),
        "goal": compile_goal(file),
        "rules": compile_rules(dict(file.rules), place / "rules", words, context),
        # None at all is reported by itself.
        "groups": compile_groups(file, place, names_in(raw, "rules") or None, context),
        "engagement": compile_engagement(file.engagement, place / "engagement", context),
    }


def _compile_products(folder: Folder, context: Context) -> tuple[ProductDefinition, ...]:
    source = folder.products
    if source is None:
        return ()
    return compile_products(validate(ProductsFile, source, context.report), Place(source, context.report), context)


def _compile_referral(folder: Folder, context: Context) -> tuple[ReferralPolicy | None, timedelta | None]:
    source = folder.referral
    if source is None:
        return None, None
    return compile_referral(validate(ReferralFile, source, context.report), Place(source, context.report), context)


def _compile_funnels(
    folder: Folder, products: tuple[ProductDefinition, ...], context: Context
) -> tuple[FunnelDefinition, ...]:
    funnels: dict[str, Place] = {}
    compiled: list[FunnelDefinition] = []
    for source in folder.funnels:
        file, place = validate(FunnelFile, source, context.report), Place(source, context.report)
        if file.funnel is not None and file.funnel in funnels:
            first = funnels[file.funnel]
            message = f"funnel {file.funnel!r} is defined twice"
            (place / "funnel").problem(message, f"the first is in {first.source.name}:{first.line}; rename one")
        elif file.funnel is not None:
            funnels[file.funnel] = place / "funnel"
        funnel = compile_funnel(file, place, products, context)
        compiled += [funnel] if funnel is not None else []
    return tuple(compiled)
