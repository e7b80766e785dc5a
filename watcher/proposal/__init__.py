"""A first configuration from an organization's own history: budgets, a floor for anomalies, and how each came about."""

from watcher.proposal.proposing import Proposal, propose
from watcher.proposal.text import written

__all__ = ["Proposal", "propose", "written"]
