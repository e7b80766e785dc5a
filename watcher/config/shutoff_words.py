"""`[shutoff]` in plain sentences: what the present policy may do at worst, and what of it is probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from rules.measures import Measure, amount_words
from rules.model import Budget
from rules.money import NANO_PER_USD, display_usd
from rules.policy import APPROVAL, KeyAction, Mode, Policy, Protect
from rules.thresholds import Mark, Threshold, mark_amount, percent_of
from watcher.config.durations import spell_duration
from watcher.settings import Settings, ShutoffSettings, SlackBotSettings

_MODES: dict[Mode, str] = {
    "off": "off. No key is changed, not even by hand",
    "dry_run": "dry_run. It decides and tells, and changes no key by itself; what is asked for by hand is done",
    "approve": "approve. It deactivates keys, each only once somebody has approved it",
    "auto": "auto. It deactivates keys by itself",
}
_ALONE: dict[Mode, str] = {"off": "never", "dry_run": "dry run", "approve": "with approval", "auto": "by itself"}


def describe_shutoff(shutoff: ShutoffSettings, settings: Settings) -> list[str]:
    """What may be done to keys, a sentence each."""
    policy = shutoff.policy
    told = [f"Shutoff: {_MODES[policy.mode]}."]
    if policy.mode == "off":
        return told
    return [*told, *_acts(policy, settings), *_ways_out(shutoff, settings)]


def _acts(policy: Policy, settings: Settings) -> Iterator[str]:
    share = f"{float(100 * policy.max_share):g} %"
    per_cycle, never = _keys(policy.max_per_cycle), ", ".join(_never(policy.protect))
    yield (
        f"At most {per_cycle} a cycle and {policy.max_per_day} in any 24 hours (at most {share} of the active keys, "
        f"and one at least); never: {never}; the last active key of a workspace only with approval."
    )
    asked = list(_asked(settings, policy))
    when = f"after a grace of {spell_duration(policy.grace)}" if policy.grace else "in the cycle that sees it"
    if policy.mode == "approve":
        when = f"once it is approved, within {spell_duration(APPROVAL)}"
    acts = "would act" if policy.mode == "dry_run" else "acts"
    yield (
        f"It {acts} {when}, from {_usd(policy.min_amount)} too much on, on data no older than 90 minutes; "
        f"asked for by: {', '.join(asked) or 'no rule, so only by hand'}."
    )
    if policy.not_during:
        names = " or ".join(f'"{interval.name}"' for interval in policy.not_during)
        yield f"Nothing is done by itself during {names}."
    if policy.reactivate_at_reset:
        yield "Keys that it deactivated for a budget are turned on again when the period ends, if nobody touched them."


def _ways_out(shutoff: ShutoffSettings, settings: Settings) -> Iterator[str]:
    approvers = shutoff.policy.approvers
    whom = ", ".join(approvers) if approvers else "whoever can run `watcher actions approve` on this machine"
    yield f"Approving and denying: {whom}."
    file = f", or a file {shutoff.brake_file}" if shutoff.brake_file else ""
    yield f'Everything is held at once by `watcher actions pause`{file}, or mode = "off".'
    own = all(organization.action_key is not None for organization in settings.organizations)
    key = "a key of its own (action_key)" if own else "the key that it reads with"
    yield f'Keys are changed with {key}; all that is ever written is a key\'s status, "inactive" and back.'


def _never(protect: Protect) -> Iterator[str]:
    for pattern in protect.api_key:
        yield f"keys matching {pattern}"
    for pattern in protect.workspace:
        yield f"workspace {pattern}"
    for pattern in protect.tag:
        yield f"tag {pattern}"
    if protect.claude_code:
        yield "Claude Code keys"
    yield "what `watcher keys protect` names"


def _asked(settings: Settings, policy: Policy) -> Iterator[str]:
    for budget in settings.budgets:
        for mark in budget.thresholds:
            if isinstance(mark, Threshold) and mark.action is not None:
                yield f'budget "{budget.name}" at {_mark(budget, mark)}{_own(policy.mode_of(mark.action), policy)}'
    for rule in settings.anomalies:
        if rule.action is not None:
            yield f'anomaly "{rule.name}"{_own(policy.mode_of(rule.action), policy)}'


def _own(mode: Mode, policy: Policy) -> str:
    return "" if mode == policy.mode else f" ({_ALONE[mode]})"


def _mark(budget: Budget, mark: Mark) -> str:
    amount = mark_amount(mark)
    if amount is not None:
        return _usd(amount) if budget.measure.is_money else amount_words(Measure(budget.measure.unit), amount)
    return f"{percent_of(0, mark):.15g} %"


def warn_of_shutoff(shutoff: ShutoffSettings, settings: Settings) -> Iterator[str]:
    """Sentences about what is allowed and hardly meant."""
    if shutoff.policy.mode == "off":
        return
    policy = shutoff.policy
    modes = {policy.mode_of(action) for action in _actions(settings)}
    if "auto" in modes and not settings.routes:
        yield 'shutoff.mode: with "auto" and no route nobody hears that a key is about to be turned off'
    if "auto" in modes and not policy.grace:
        yield 'shutoff.grace: with "auto" and "0s" a key is off before anybody can say no'
    bots = [each for each in settings.receivers if isinstance(each, SlackBotSettings) and each.app_token]
    slack = [each for each in policy.approvers if each[:1] in {"U", "W"} and each.isalnum() and each.isupper()]
    if "approve" in modes and not policy.approvers and not bots:
        told = "nobody is named who may approve, and no Slack bot has buttons: only `watcher actions approve` on this"
        yield f"shutoff.approvers: {told} machine is left, for whoever can run it"
    if slack and not bots:
        told = f"{', '.join(slack)} can approve by a Slack button alone, and no receiver has a bot with an app_token"
        yield f"shutoff.approvers: {told}"
    for organization in settings.organizations:
        weak = not organization.admin_key.reveal().startswith("sk-ant-admin")
        if weak and organization.action_key is None:
            of = f" of {organization.label}" if organization.label else ""
            yield f"shutoff.action_key: the key{of} that is read with is no Admin key, so it can change no key"
    if shutoff.brake_file is None:
        yield "shutoff.brake_file: without one, and with a database on a server, no file can hold actions"
    if not any((policy.protect.api_key, policy.protect.workspace, policy.protect.tag)) and "auto" in modes:
        yield "shutoff.protect: names nothing, so every key but those of Claude Code may be turned off"


def _actions(settings: Settings) -> Iterator[KeyAction]:
    for budget in settings.budgets:
        yield from (m.action for m in budget.thresholds if isinstance(m, Threshold) and m.action is not None)
    yield from (rule.action for rule in settings.anomalies if rule.action is not None)


def _keys(count: int) -> str:
    return "1 key" if count == 1 else f"{count} keys"


def _usd(nano: int) -> str:
    return f"${nano // NANO_PER_USD:,}" if nano % NANO_PER_USD == 0 else display_usd(nano)
