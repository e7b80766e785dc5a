"""The series of usage behind the organization: one for each key, model and set of terms, with its habits in arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from watcher.simulator.founding import Founded
from watcher.simulator.organization import ApiKey, Organization
from watcher.simulator.patterns import RHYTHMS, shifted
from watcher.simulator.tariff import FEMTO_PER_USD, Terms, femto_per_token, femto_per_web_search

USD_PER_KEY_AND_MONTH = 280.0
HOURS_A_MONTH = 730.0

MEASURES = 6
"""Measures of a series in an hour: the five token kinds in the order of `TOKEN_KINDS`, then web search requests."""

WEB_SEARCH = 5

UNKNOWN_MODEL = "claude-opus-9"

_PRODUCTION_MODELS = ("claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-4-5-20251001", "claude-sonnet-5",
                      "claude-sonnet-4-6", "claude-opus-5", "claude-sonnet-4-5-20250929")  # fmt: skip
_SIDE_MODELS = ("claude-haiku-4-5-20251001", "claude-haiku-5-5", "claude-opus-4-8", "claude-sonnet-5-5")
_DEVELOPER_MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-5", "claude-opus-4-8")


@dataclass(frozen=True, slots=True)
class Series:
    """One series of usage. `usd_per_month` is what it costs on average after discount, at `started_at`."""

    api_key_id: str | None
    workspace_id: str | None
    model: str
    terms: Terms
    archetype: str
    usd_per_month: float
    service_account_id: str | None = None
    offset: int = 0
    growth: float = 1.0
    web_rate: float = 0.0
    prompt: float = 0.0
    output: float = 0.0
    read: float = 0.0
    shape: float = 0.0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All series, and their habits as arrays of one row a series.

    `rate` is mean requests an hour, `weights` the rhythm over the week, `mean` the expected amount of each measure in
    an average hour, `femto` the price of one unit of each measure in femto-dollars.
    """

    series: tuple[Series, ...]
    rate: NDArray[np.float64]
    shape: NDArray[np.float64]
    growth: NDArray[np.float64]
    weights: NDArray[np.float64]
    sizes: NDArray[np.float64]
    shares: NDArray[np.float64]
    web_rate: NDArray[np.float64]
    mean: NDArray[np.float64]
    femto: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.series)


def catalogue(series: list[Series], discount: Fraction) -> Catalogue:
    """Work out the habits of the series, so that each costs its `usd_per_month` on average."""
    rhythms = [RHYTHMS[each.archetype] for each in series]
    femto = tuple(
        (*femto_per_token(each.model, each.terms, discount), femto_per_web_search(discount)) for each in series
    )
    sizes = np.array([(each.prompt, each.output) for each in series], dtype=float).reshape(-1, 2)
    shares = np.array(
        [
            (rhythm.write_1h, rhythm.write_5m, each.read) if each.read > 0 else (0.0, 0.0, 0.0)
            for each, rhythm in zip(series, rhythms, strict=True)
        ],
        dtype=float,
    ).reshape(-1, 3)
    web_rate = np.array([each.web_rate for each in series])
    request = np.empty((len(series), MEASURES))
    request[:, 0] = sizes[:, 0] * (1 - shares.sum(axis=1))
    request[:, 1:4] = sizes[:, :1] * shares
    request[:, 4] = sizes[:, 1]
    request[:, WEB_SEARCH] = web_rate
    usd = (request * np.array(femto, dtype=float).reshape(-1, MEASURES)).sum(axis=1) / FEMTO_PER_USD
    rate = np.array([each.usd_per_month for each in series]) / HOURS_A_MONTH / usd
    return Catalogue(
        series=tuple(series),
        rate=rate,
        shape=np.array([each.shape for each in series]),
        growth=np.array([each.growth for each in series]),
        weights=np.array(
            [shifted(rhythm.weights, each.offset) for each, rhythm in zip(series, rhythms, strict=True)]
        ).reshape(-1, 168),
        sizes=sizes,
        shares=shares,
        web_rate=web_rate,
        mean=request * rate[:, None],
        femto=femto,
    )


def populate(founded: Founded, seed: int, *, active_keys: int, unknown_model: bool) -> list[Series]:
    """Give every key, and Console use, its series; the same for the same seed.

    The whole organization costs about 280 USD a month for each of the `active_keys`. With `unknown_model` the first
    two keys on an Opus use `claude-opus-9` instead, which no price list knows.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, 0x5E]))
    organization = founded.organization
    series: list[Series] = []
    places: dict[str, int] = {}
    for key_id, archetype in founded.archetypes.items():
        place = places.get(archetype, 0)
        places[archetype] = place + 1
        series += _of_key(rng, organization, organization.keys[key_id], archetype, place)
    series += _of_console(rng, organization)
    if unknown_model:
        series = _modernize(series)
    total = sum(each.usd_per_month for each in series)
    scale = USD_PER_KEY_AND_MONTH * active_keys / total
    return [replace(each, usd_per_month=each.usd_per_month * scale) for each in series]


def _of_key(
    rng: np.random.Generator, organization: Organization, key: ApiKey, archetype: str, place: int
) -> list[Series]:
    rhythm = RHYTHMS[archetype]
    spend = rhythm.share * float(rng.lognormal(0.0, rhythm.spread))
    size = float(rng.lognormal(0.0, 0.35))
    models = _DEVELOPER_MODELS if archetype == "developer" else _PRODUCTION_MODELS
    turn = place // 4 if archetype == "developer" else place
    cached = archetype in {"production", "steady"} and place % 3 != 2
    us = (workspace := organization.workspace(key.workspace_id or "")) is not None and workspace.default_geo == "us"
    main = Series(
        api_key_id=key.id,
        workspace_id=organization.reported_workspace_id(key),
        model=models[turn % len(models)],
        terms=_terms(models[turn % len(models)], "batch" if archetype == "batch" else "standard", us=us),
        archetype=archetype,
        usd_per_month=spend,
        service_account_id=key.service_account_id,
        offset=int(rng.integers(-1, 2)) if archetype in {"production", "batch"} else int(rng.choice([0, 0, 1, 6])),
        growth=float(rng.uniform(1.0, 1.06)),
        web_rate=0.04 if archetype == "production" and place % 4 == 1 else 0.0,
        prompt=rhythm.prompt * size,
        output=rhythm.output * float(rng.lognormal(0.0, 0.25)),
        read=min(0.9, rhythm.read * (1.35 if cached else 0.8)),
        shape=rhythm.shape,
    )
    side = _SIDE_MODELS[place % len(_SIDE_MODELS)]
    sides: list[Series] = []
    if archetype == "production":
        sides = _production_sides(main, side, place, us=us)
    elif place % 2 == 1 and side != main.model:
        tier = main.terms.service_tier
        sides = [replace(main, model=side, terms=_terms(side, tier, us=us), usd_per_month=spend * 0.2)]
    share = 1 - sum(each.usd_per_month for each in sides) / spend
    return [replace(main, usd_per_month=spend * share), *sides]


def _production_sides(main: Series, side: str, place: int, *, us: bool) -> list[Series]:
    """What a production key does beside its main use: a second model, and now and then batches, priority tier, long
    contexts or fast mode."""
    spend = main.usd_per_month
    sides: list[Series] = []
    if place % 2 == 0 and side != main.model:
        sides.append(replace(main, model=side, terms=_terms(side, "standard", us=us), usd_per_month=spend * 0.25))
    if place % 5 == 3:
        batch = _terms(main.model, "batch", us=us)
        sides.append(replace(main, terms=batch, archetype="batch", usd_per_month=spend * 0.15, read=0.0, shape=6.0))
    if place % 6 == 4:
        sides.append(replace(main, terms=replace(main.terms, service_tier="priority"), usd_per_month=spend * 0.2))
    if place % 7 == 5 or main.model == "claude-sonnet-4-5-20250929":
        long = replace(main.terms, context_window="200k-1M")
        sides.append(replace(main, terms=long, prompt=320_000.0, usd_per_month=spend * 0.15, shape=4.0))
    if main.model == "claude-opus-5-5":
        fast = replace(main.terms, speed="fast")
        sides.append(replace(main, terms=fast, usd_per_month=spend * 0.15))
    return sides


def _of_console(rng: np.random.Generator, organization: Organization) -> list[Series]:
    rhythm = RHYTHMS["console"]
    homes: list[str | None] = [None, next(iter(organization.workspaces))]
    return [
        Series(
            api_key_id=None,
            workspace_id=home,
            model=model,
            terms=_terms(model, "standard", us=False),
            archetype="console",
            usd_per_month=rhythm.share * float(rng.lognormal(0.0, rhythm.spread)),
            prompt=rhythm.prompt,
            output=rhythm.output,
            shape=rhythm.shape,
        )
        for home, model in zip(homes, ("claude-sonnet-5-5", "claude-opus-5-5"), strict=True)
    ]


def _terms(model: str, tier: str, *, us: bool) -> Terms:
    """Models before 4.6 know no inference geography and report `not_available`."""
    old = any(mark in model for mark in ("4-5-", "4-1-", "3-5-"))
    geo = "not_available" if old else "us" if us else "global"
    long_share = Fraction(12, 100) if model == "claude-haiku-5-5" else Fraction(0)
    return Terms(service_tier=tier, inference_geo=geo, long_share=long_share)


def _modernize(series: list[Series]) -> list[Series]:
    """Move the first two keys whose main model is an Opus, or failing that the first key, to the unknown model."""
    opus = [each.api_key_id for each in series if each.api_key_id and each.model.startswith("claude-opus")]
    chosen: set[str | None] = {*list(dict.fromkeys(opus))[:2]} or {series[0].api_key_id}
    return [
        replace(each, model=UNKNOWN_MODEL, terms=replace(each.terms, inference_geo="global", long_share=Fraction(0)))
        if each.api_key_id in chosen and (each.model.startswith("claude-opus") or not opus)
        else each
        for each in series
    ]
