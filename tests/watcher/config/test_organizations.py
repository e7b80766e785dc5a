"""Several organizations in the configuration: both forms, what may not be, and what is easily confused."""

from __future__ import annotations

from pathlib import Path

import pytest

from watcher.config import InvalidConfig, check, load
from watcher.secret import Secret
from watcher.secrets import secrets_of

EAST = '[[organization]]\nname = "east"\nadmin_key = "sk-ant-admin01-e"\n'
WEST = '[[organization]]\nname = "west"\nadmin_key = "sk-ant-admin01-w"\n'
BUDGET = '[[budget]]\nname = "all"\nlimit_usd = 100\n'
TOLD = '[[receiver]]\nname = "t"\ntype = "console"\n[[route]]\nreceiver = "t"\n'


def written(folder: Path, *parts: str) -> Path:
    path = folder / "config.toml"
    path.write_text("".join(parts))
    path.chmod(0o600)
    return path


def problems(folder: Path, *parts: str) -> list[str]:
    with pytest.raises(InvalidConfig) as caught:
        load(written(folder, *parts), {})
    return [str(problem) for problem in caught.value.problems]


def test_each_block_is_one_organization_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-ant-admin01-f\n")
    (tmp_path / "key").chmod(0o600)
    third = '[[organization]]\nname = "third"\nadmin_key_file = "key"\nbase_url = "https://api.example/x"\n'
    third += 'proxy = "http://u:word@proxy.example:3128"\n'
    settings = load(written(tmp_path, EAST, WEST, third, TOLD), {})
    assert settings.labels == ("east", "west", "third")
    assert [each.admin_key for each in settings.organizations] == [
        Secret(f"sk-ant-admin01-{letter}") for letter in "ewf"
    ]
    assert settings.organizations[2].base_url == "https://api.example/x"
    assert {"sk-ant-admin01-e", "sk-ant-admin01-w", "sk-ant-admin01-f", "word"} <= set(secrets_of(settings))


def test_the_short_form_is_one_organization_without_a_name(tmp_path: Path) -> None:
    settings = load(written(tmp_path, '[anthropic]\nadmin_key = "sk-ant-admin01-e"\n'), {})
    assert settings.labels == ("",)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (
            ['[anthropic]\nadmin_key = "sk-ant-admin01-x"\n', EAST],
            "anthropic: stands beside [[organization]]: make it one more [[organization]], with a name of its own",
        ),
        ([EAST, WEST.replace("west", "east")], 'organization[1].name: "east" is already the name of organization[0]'),
        (
            [EAST, WEST.replace("admin01-w", "admin01-e")],
            "organization[1].admin_key: is the key of organization[0] too: each organization has one of its own",
        ),
        ([EAST, '[[organization]]\nadmin_key = "sk-ant-admin01-w"\n'], "organization[1].name: is missing"),
        ([EAST, '[[organization]]\nname = "west"\n'], "organization[1].admin_key: is missing"),
        ([EAST, '[[organization]]\nname = "west"\n'], '(organization "west")'),
        ([EAST, WEST + 'base_url = "http://api.example"\n'], "organization[1].base_url: must be https"),
        ([EAST, WEST + 'key = "x"\n'], "organization[1].key: is not a setting"),
        (['[organization]\nname = "east"\nadmin_key = "sk-ant-admin01-e"\n'], "write [[organization]], in double"),
        (["organization = 3\n"], "organization: must be a table: write [[organization]]"),
        ([EAST.replace("sk-ant-admin01-e", "sk-ant-api03-x")], "organization[0].admin_key: is an ordinary API key"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(tmp_path: Path, parts: list[str], sentence: str) -> None:
    assert any(sentence in problem for problem in problems(tmp_path, *parts)), problems(tmp_path, *parts)


def test_a_misshapen_organization_is_all_that_is_told_of_the_access(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "organization = 3\n")) == 1


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([EAST, WEST.replace("west", "East")], 'organization[1].name: "East" and "east" are easily taken'),
        ([EAST, WEST, BUDGET], "budget[0]: its limit holds for each organization by itself"),
        (
            [EAST, WEST, BUDGET + 'select = { organization = "eats" }\n'],
            'budget[0].select.organization: "eats" is no name of an [[organization]]',
        ),
    ],
)
def test_what_two_people_would_take_differently_is_a_warning(tmp_path: Path, parts: list[str], sentence: str) -> None:
    warnings = check(written(tmp_path, *parts, TOLD), {}).warnings
    assert len([warning for warning in warnings if sentence in warning]) == 1, warnings


@pytest.mark.parametrize(
    "parts",
    [
        [EAST, BUDGET],
        [EAST, WEST, BUDGET + 'select = { organization = "*" }\n'],
        [EAST, WEST, BUDGET + 'select = { organization = "EAST" }\n'],
        [EAST, WEST, BUDGET + 'per = ["workspace"]\n'],
    ],
)
def test_what_is_plain_is_no_warning(tmp_path: Path, parts: list[str]) -> None:
    assert check(written(tmp_path, *parts, TOLD), {}).warnings == ()


def test_every_organization_is_described(tmp_path: Path) -> None:
    sentences = check(written(tmp_path, EAST, WEST, BUDGET + 'select = { organization = "e*" }\n'), {}).sentences
    assert sentences[0].startswith('Reads usage of the organization "east" from https://api.anthropic.com every 5')
    assert sentences[1].startswith('Reads usage of the organization "west" from')
    assert any(
        'for each organization by itself where the organization matches "e*"' in sentence for sentence in sentences
    )
