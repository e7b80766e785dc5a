"""What people ask of the program between two judgements, and what becomes of it.

A judgement takes each request once, in the order in which they were asked, and answers every one: what it does not
know, or cannot read, is refused with a sentence. Requests, answers and acts are kept in one transaction with the
judgement's alerts, so that each is carried out exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that somebody asked for; `details` is what JSON can hold."""

    number: int
    at: datetime
    actor: str
    what: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request, in a sentence for who asked."""

    number: int
    outcome: str
    done: bool = True


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done or refused, for the journal."""

    actor: str
    what: str
    details: Mapping[str, Any]


def act_of(request: Request, answer: Answer) -> Act:
    """The journal's line about a request that was answered."""
    about = {"command": request.number, "asked_at": request.at.isoformat()}
    result = {"outcome": answer.outcome, "done": answer.done}
    return Act(request.actor, request.what, {**request.details, **about, **result})


class Refused(Exception):
    """Why a request is not carried out, as a clause."""


def answered(
    requests: Iterable[Request], what: Collection[str], take: Callable[[Request], str]
) -> tuple[tuple[Answer, ...], tuple[Act, ...]]:
    """Carry out the requests of these kinds, in their order, and answer each; the others are left alone.

    `take` carries one out and says what came of it; it raises `Refused`, and where it cannot read the request
    ValueError, TypeError, KeyError or AttributeError.
    """
    answers: list[Answer] = []
    acts: list[Act] = []
    for request in requests:
        if request.what not in what:
            continue
        try:
            answer = Answer(request.number, take(request))
        except Refused as why:
            answer = Answer(request.number, f"refused: {why}", done=False)
        except (ValueError, TypeError, KeyError, AttributeError):
            answer = Answer(request.number, "refused: it cannot be read", done=False)
        answers.append(answer)
        acts.append(act_of(request, answer))
    return tuple(answers), tuple(acts)
