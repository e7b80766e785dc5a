"""Under which policy a replay stops keys: that of the configuration, or an example where it has none. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rules.judgement import Rules
from rules.measures import SPEND
from rules.model import AnomalyRule, Budget
from rules.offences import action_of
from rules.policy import KeyAction, Policy
from rules.thresholds import Mark, Threshold, percent_of

EXAMPLE = Policy(mode="auto")
"""Every guard at its default, and nobody asked."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """The rules with the actions that they ask for, the policy, and sentences about what of both is supposed."""

    rules: Rules
    policy: Policy
    notes: tuple[str, ...] = ()


def permitted(title: str, rules: Rules, policy: Policy | None) -> Permitted:
    """What is replayed of a configuration called `title`.

    What its mode would have left to a person counts as done: a replay says what there would have been to approve. Rules
    whose own mode is "off" ask for nothing.
    """
    notes = []
    if policy is None:
        notes.append(f"{title} has no [shutoff]: an example policy was replayed, {limits(EXAMPLE)}.")
    elif policy.mode != "auto":
        notes.append(f'The mode of {title} is "{policy.mode}": it was replayed as "auto", as if everybody had agreed.')
    budgets, anomalies = rules.budgets, rules.anomalies
    asked = any(_asks(mark) for budget in budgets for mark in budget.thresholds) or any(
        rule.action is not None for rule in anomalies
    )
    if asked:
        budgets, anomalies = tuple(map(_agreed, budgets)), tuple(map(_agreed_rule, anomalies))
    else:
        budgets, anomalies = (
            tuple(map(_asking, budgets)),
            tuple(replace(rule, action=KeyAction()) for rule in anomalies),
        )
        notes.append(
            f"No rule of {title} asks for a key to be deactivated: as an example every anomaly rule does, and the "
            "highest threshold of each budget from 100 % on."
        )
    found = replace(EXAMPLE if policy is None else policy, mode="auto")
    return Permitted(replace(rules, budgets=budgets, anomalies=anomalies), found, tuple(notes))


def limits(policy: Policy) -> str:
    """The bounds of a policy in a clause."""
    minutes, share = int(policy.grace.total_seconds() // 60), float(policy.max_share)
    return (
        f"at most {policy.max_per_cycle} a cycle, {policy.max_per_day} in 24 hours and {share:.0%} of the active "
        f"keys, after {minutes} minutes of grace and from ${policy.min_amount / 1e9:,.0f} on"
    )


def _asks(mark: Mark) -> bool:
    return action_of(mark) is not None


def _agreed(budget: Budget) -> Budget:
    marks = tuple(
        replace(mark, action=_auto(mark.action)) if isinstance(mark, Threshold) else mark for mark in budget.thresholds
    )
    return replace(budget, thresholds=marks)


def _agreed_rule(rule: AnomalyRule) -> AnomalyRule:
    return replace(rule, action=_auto(rule.action))


def _auto(action: KeyAction | None) -> KeyAction | None:
    return action if action is None or action.mode == "off" else KeyAction()


def _asking(budget: Budget) -> Budget:
    """The budget with an action at the highest mark that reaches its limit, if it counts money."""
    whole = [mark for mark in budget.thresholds if _reaches(budget, mark)]
    if not whole or budget.measure != SPEND:
        return budget
    highest = max(whole, key=lambda mark: percent_of(budget.limit or 0, mark))
    acting = replace(highest if isinstance(highest, Threshold) else Threshold(percent=highest), action=KeyAction())
    return replace(budget, thresholds=tuple(acting if mark is highest else mark for mark in budget.thresholds))


def _reaches(budget: Budget, mark: Mark) -> bool:
    return percent_of(budget.limit or 0, mark) >= 100
