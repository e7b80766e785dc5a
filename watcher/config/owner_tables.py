"""`[[owner]]`: its shape, its values, and what of it is probably not meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator

from rules.matchers import Matcher
from rules.owned import Owned, Owner, is_slack_id
from watcher.config import receiver_values, values
from watcher.config.problems import Problem, Wrong, shown
from watcher.config.route_models import Matchers
from watcher.config.table import Name, Table

_RIGHT = 'must be the id of a Slack user such as "U012AB3CD", or of a user group such as "S012AB3CD"'


def slack_id(value: object) -> str:
    """The id of a Slack user or user group; an @ before it is left out."""
    found = values.text(value).removeprefix("@")
    if not is_slack_id(found):
        raise Wrong(f"{_RIGHT} (a name mentions nobody), not {shown(value)}")
    return found


def no_owner(matchers: Sequence[Matcher]) -> Sequence[Matcher]:
    """Matchers that do not ask who the owner is."""
    if any(matcher.label == "owner" for matcher in matchers):
        raise Wrong("must not ask for the label owner, which is what this table says")
    return matchers


class OwnerTable(Table):
    """`[[owner]]`: whose the alerts are that meet its matchers."""

    name: Name | None = Field(None, examples=['"payments"'])
    by: Annotated[str, PlainValidator(values.one_of("creator"))] | None = Field(None, examples=['"creator"'])
    match: Annotated[Matchers, AfterValidator(no_owner)] = Field([], examples=["['tag_team=\"payments\"']"])
    slack: Annotated[str, PlainValidator(slack_id)] | None = Field(None, examples=['"S012AB3CD"'])
    email: Annotated[str, PlainValidator(receiver_values.mail_address)] | None = Field(
        None, examples=['"payments@team.example"']
    )


def owner(table: OwnerTable, place: str) -> Owner:
    """The owner that a table describes."""
    owned = None if table.name is None else Owned(table.name, table.email or "", table.slack or "")
    return Owner(owned, tuple(table.match), place)


def owner_problems(raw: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """What keys of a table say that contradicts another one."""
    if "by" not in raw:
        if "name" not in raw:
            said = 'is missing: a team or a person, as in name = "payments", or by = "creator" in its place'
            yield Problem(f"{place}.name", said)
        return
    for key in ("name", "slack", "email"):
        if key in raw:
            yield Problem(f"{place}.{key}", "says nothing beside `by`, which takes it from the directory: keep one")


def describe_owner(owner: Owner) -> str:
    """A sentence about what is theirs, and how they are told apart."""
    which = " and ".join(matcher.words for matcher in owner.match)
    what = f"alerts whose {which}" if which else "every alert that no owner above takes"
    if owner.owned is None:
        return f"Owner by the directory: {what}, where the user of its key is known; Slack bots mention that user."
    slack = owner.owned.slack
    mentioned = ""
    if slack:
        mentioned = f"; Slack messages mention the {'user group' if slack.startswith('S') else 'user'} {slack}"
    return f'Owner "{owner.owned.words}": {what}{mentioned}.'


def warn_of_owners(owners: Sequence[Owner]) -> list[str]:
    """Sentences about owners that no alert comes to."""
    end = next((number for number, owner in enumerate(owners) if not (owner.match or owner.owned is None)), None)
    if end is None:
        return []
    return [
        f"owner[{number}]: nothing is theirs, as owner[{end}] has no `match` and takes every alert"
        for number in range(end + 1, len(owners))
    ]
