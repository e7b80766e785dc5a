"""The report endpoints: usage, cost and Claude Code."""

from __future__ import annotations

from watcher.simulator import billing, claude_code, usage_report
from watcher.simulator.answering import Asked, Json


async def messages_usage(asked: Asked) -> Json:
    """GET usage_report/messages."""
    parameters = asked.parameters(usage_report.PARAMETERS)
    question = usage_report.read_question(parameters, betas=asked.caller.betas, now=asked.now)
    return usage_report.usage_page(asked.world, question, asked.now, asked.strike)


async def cost(asked: Asked) -> Json:
    """GET cost_report."""
    parameters = asked.parameters(billing.PARAMETERS)
    with_speed = usage_report.FAST_MODE_BETA in asked.caller.betas
    return billing.cost_page(asked.billing, parameters, asked.now, asked.strike, with_speed=with_speed)


async def claude_code_usage(asked: Asked) -> Json:
    """GET usage_report/claude_code."""
    parameters = asked.parameters(claude_code.PARAMETERS)
    return claude_code.claude_code_page(asked.world, parameters, asked.now, asked.strike)
