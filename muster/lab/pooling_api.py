"""HTTP for how many swabs go in a tube: thin, over the pooling engine. Of the ledger only the tubes of a round in an
area are counted; nothing is stored.
"""

from dataclasses import asdict
from typing import Annotated, Any, get_args

import msgspec
from litestar import get, post
from litestar.params import FromQuery, JSONBody
from msgspec import Meta

from muster.access.engine.roles import ROLES
from muster.core.problems import Problem
from muster.guarding import Forbidden, area_within, principal, reading
from muster.lab import queries
from muster.lab.engine.pooling import advising, array, decoding, dilution, hierarchical, optimum
from muster.lab.engine.pooling import prevalence as estimating
from muster.lab.engine.pooling.measures import Test, prevalence_of
from muster.lab.engine.pooling.reasons import reasons
from muster.lab.engine.pooling.sheets import read_cts, read_design
from muster.sampling import queries as sampling
from muster.web import Ask, muster

_TEXT = 2_000  # characters of pools or stages
_FILE = 400_000


class PoolingUnclear(Problem):
    """It is not clear what is asked: give one of {choices}, and no more."""

    zh = "请求不明确：请从 {choices} 中只选一项。"
    status = 422


class PooledStudy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A design and its Ct values, each the text of a file; a Ct after `limit` is no signal."""

    design: Annotated[str, Meta(min_length=1, max_length=_FILE)]
    ct: Annotated[str, Meta(max_length=_FILE)]
    limit: Annotated[float, Meta(gt=0, le=60)] = 40.0


@get("/v1/pooling/design", right="policies")
async def show_pool_design(
    prevalence: FromQuery[float],
    sensitivity: FromQuery[float] = 0.99,
    specificity: FromQuery[float] = 0.99,
    stages: FromQuery[str | None] = None,
    array_side: FromQuery[int | None] = None,
    master: FromQuery[bool] = False,
    optimal: FromQuery[optimum.Kind | None] = None,
    max_size: FromQuery[int] = 20,
    min_size: FromQuery[int] = 2,
) -> dict[str, Any]:
    """What a design costs and misses: stages (`24,6,1`), a square array, or the best of a kind."""
    if sum(one is not None for one in (stages, array_side, optimal)) != 1:
        raise PoolingUnclear(choices="stages, array_side, optimal")
    test = Test(sensitivity, specificity)
    if array_side is not None:
        return asdict(array.measure_array(array_side, prevalence, test, master=master))
    if optimal is not None:
        return asdict(optimum.optimal(optimal, prevalence, test, least=min_size, most=max_size))
    plan = hierarchical.read_stages(str(stages)[:_TEXT])
    return asdict(hierarchical.measure(plan, prevalence_of(prevalence), test))


class NothingTested(Problem):
    """No tube of {round} with people of {area} has a result yet. Give the tubes of an earlier round, or a
    prevalence."""

    zh = "{round} 中 {area} 的采样管尚无结果。请改用更早的轮次，或直接填写感染率。"
    status = 409


@get("/v1/pooling/advice", right="policies")
async def show_pool_advice(
    request: Ask,
    area: FromQuery[str | None] = None,
    round: FromQuery[str | None] = None,
    pools: FromQuery[str | None] = None,
    prevalence: FromQuery[float | None] = None,
    sensitivity: FromQuery[float] = 0.99,
    specificity: FromQuery[float] = 0.99,
    max_size: FromQuery[int] = 20,
    household: FromQuery[int] = 1,
    correlation: FromQuery[float] = 0.0,
    minutes: FromQuery[float] = 15.0,
    test_price: FromQuery[float] = 25.0,
    hour_price: FromQuery[float] = 40.0,
) -> dict[str, Any]:
    """How many swabs in a tube, with every size weighed, the floor of each and the reasons: by the tubes of an
    area in a round (the newest one, unless one is named), by tubes that are told
    (`size:tubes:positive,…`), or by a prevalence. Who asks for an area must see its sums."""
    terms = advising.Terms(
        Test(sensitivity, specificity),
        max_size,
        household,
        correlation,
        minutes,
        test_price,
        hour_price,
    )
    if sum(one is not None for one in (area, pools, prevalence)) != 1:
        raise PoolingUnclear(choices="area, pools, prevalence")
    if area is not None:
        pools = await _pools(request, area, round)
    if pools is not None:
        belief = advising.posterior(estimating.read_pools(pools[:_TEXT]), terms)
    else:
        assert prevalence is not None
        belief = advising.certain(prevalence)
    advice = advising.advise(belief, terms)
    said = [{"en": english, "zh": chinese} for english, chinese in reasons(advice, terms)]
    return {**asdict(advice), "reasons": said, "pools": pools}


async def _pools(request: Ask, text: str, named: str | None) -> str:
    """The tubes of an area in a round, as they are written. Raises NothingTested, OutsideYourArea, Forbidden."""
    if not any("funnel" in ROLES[one.role].rights for one in principal(request).holdings):
        raise Forbidden(right="funnel")
    async with reading(request) as conn:
        area = await area_within(request, conn, text, right="funnel")
        round = await sampling.round_(conn, named)
    async with muster(request).pool.connection() as own:  # sums: not only of tubes one may open
        found = await queries.pools_of(own, round=round["round"], area=area["area"])
    if not found:
        raise NothingTested(round=round["name"], area=area["name"])
    return ",".join(f"{one['size']}:{one['tested']}:{one['positive']}" for one in found)


@get("/v1/pooling/prevalence", right="policies")
async def show_pool_prevalence(pools: FromQuery[str]) -> dict[str, Any]:
    """How common the infection is, by pools of any sizes, with a 95 % interval."""
    return asdict(estimating.estimate(estimating.read_pools(pools[:_TEXT])))


@get("/v1/pooling/ct-shift", right="policies")
async def show_ct_shift(
    members: FromQuery[int],
    tube_ml: FromQuery[float],
    single_ml: FromQuery[float],
    efficiency: FromQuery[float] = 1.0,
    ct_mean: FromQuery[float | None] = None,
    ct_sd: FromQuery[float] = 5.0,
    limit: FromQuery[float] = 38.0,
) -> dict[str, Any]:
    """How much later the signal comes by the tube's volume, and what share is still found."""
    return asdict(dilution.ct_shift(
        members=members, tube_ml=tube_ml, single_ml=single_ml, efficiency=efficiency,
        ct_mean=ct_mean, ct_sd=ct_sd, limit=limit,
    ))  # fmt: skip


@post("/v1/pooling/decode", right="policies", status_code=200)
async def decode_pools(data: JSONBody[PooledStudy]) -> dict[str, Any]:
    """Who is positive in a laboratory's study with overlapping pools; one wrong pool is found."""
    plan = read_design(data.design)
    values = read_cts(data.ct, plan)
    positive = [value is not None and value <= data.limit for value in values]
    read = decoding.decode(plan.holds, positive)
    calls = {call: [plan.specimens[i] for i in read.of(call)] for call in get_args(decoding.Call)}
    stray = [plan.pools[j] for j in read.stray]
    return {**calls, "stray_pools": stray, "explained": read.explained}


HANDLERS = [
    show_pool_design, show_pool_advice, show_pool_prevalence, show_ct_shift, decode_pools,
]  # fmt: skip
