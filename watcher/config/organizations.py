"""One organization or several: which form the file has, what may not be said twice, and what two people would take
for different things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rules.model import AnomalyRule, Budget, Selector
from rules.selectors import takes_organization
from watcher.config.problems import Problem, shown
from watcher.config.sections import Sections
from watcher.config.shape import Tables
from watcher.settings import OrganizationSettings

SHORT, LONG = "anthropic", "organization"


def read_organizations(tables: Tables, sections: Sections) -> tuple[OrganizationSettings, ...] | None:
    """The organizations in the order of the file; None if something is wrong, which `sections.problems` then says."""
    blocks = tables.several[LONG]
    if not blocks:
        if LONG in tables.unreadable:
            return None  # what is wrong there has been said, and [anthropic] may well be left out on purpose
        alone = sections.anthropic(tables.single.get(SHORT, {}))
        return None if alone is None else (alone,)
    if SHORT in tables.single:
        sections.problems.append(
            Problem(SHORT, "stands beside [[organization]]: make it one more [[organization]], with a name of its own")
        )
    found = [sections.organization(raw, f"{LONG}[{index}]") for index, raw in enumerate(blocks)]
    sections.problems.extend(_one_key_twice(found))
    whole = tuple(each for each in found if each is not None)
    return whole if len(whole) == len(blocks) else None


def warn_of_confusion(
    organizations: Sequence[OrganizationSettings], budgets: Sequence[Budget], anomalies: Sequence[AnomalyRule]
) -> Iterator[str]:
    """Sentences about what is valid and what one reader would take otherwise than another."""
    labels = [each.label for each in organizations if each.label]
    folded: dict[str, str] = {}
    for index, label in enumerate(labels):
        other = folded.setdefault(" ".join(label.casefold().split()), label)
        if other != label:
            yield f"{LONG}[{index}].name: {shown(label)} and {shown(other)} are easily taken for one another"
    selects = [(f"budget[{index}]", budget.select) for index, budget in enumerate(budgets)]
    selects += [(f"anomaly[{index}]", rule.select) for index, rule in enumerate(anomalies)]
    for place, select in selects:
        if labels and _takes_none(select, labels):
            yield (
                f"{place}.select.organization: {shown(select.organization)} is no name of an [[organization]]; it is "
                "taken for the id of one, or for the name that the API tells"
            )
    for index, budget in enumerate(budgets):
        if len(organizations) > 1 and not budget.per and budget.select.organization is None:
            yield (
                f"budget[{index}]: its limit holds for each organization by itself, not for all together; say "
                'select = { organization = "*" } if that is meant, or name the one that it is for'
            )


def _takes_none(select: Selector, labels: Sequence[str]) -> bool:
    return select.organization is not None and not any(takes_organization(select, "", [label]) for label in labels)


def _one_key_twice(found: Sequence[OrganizationSettings | None]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, each in enumerate(found):
        if each is None:
            continue
        earlier = first.setdefault(each.admin_key.reveal(), index)
        if earlier != index:
            yield Problem(
                f"{LONG}[{index}].admin_key",
                f"is the key of {LONG}[{earlier}] too: each organization has one of its own",
            )
