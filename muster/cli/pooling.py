"""`muster pool`: how many swabs go in a tube. Needs no database, but for the tubes of an area."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import rich_click as click

from muster.cli import main
from muster.cli.output import FileUnusable, Out, command
from muster.lab.engine.pooling import advising, array, decoding, dilution, hierarchical, optimum
from muster.lab.engine.pooling import prevalence as estimating
from muster.lab.engine.pooling.advising import Terms
from muster.lab.engine.pooling.drawing import CHINESE, ENGLISH, Point, svg_plot, text_plot
from muster.lab.engine.pooling.faults import StagesUnfit, Why
from muster.lab.engine.pooling.measures import Measured, Test, prevalence_of
from muster.lab.engine.pooling.reasons import reasons
from muster.lab.engine.pooling.sheets import read_cts, read_design

FILE_BYTES = 20_000_000
PLOTTED = 32  # sizes in the plot of a design

_prevalence = click.option("--prevalence", type=float, help="A share: 0.01 is one in a hundred.")
_sensitivity = click.option("--sensitivity", type=float, default=0.99, show_default=True)
_specificity = click.option("--specificity", type=float, default=0.99, show_default=True)
_plot = click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw into an SVG file."
)
_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@main.group("pool")
def pool_group() -> None:
    """How many swabs in a tube, which scheme, what is missed, who is called back."""


@command(pool_group, "design", light=True)
@_prevalence
@_sensitivity
@_specificity
@click.option("--stages", help="Sizes a stage: 24,6,1, or lists: 24;5,5,5,5,4;1.")
@click.option("--halving", help="SIZE:STAGES, such as 16:4.")
@click.option("--array", "side", type=int, help="Rows and columns of a square array.")
@click.option("--master", is_flag=True, help="An array after a pool of everybody.")
@click.option("--risks", help="Each person's own risk, with commas; placed lowest first.")
@click.option(
    "--optimal", type=click.Choice(get_args(optimum.Kind)), help="Find the best of a kind."
)
@click.option("--max-size", type=int, default=20, show_default=True)
@click.option("--min-size", type=int, default=2, show_default=True)
@_plot
async def show_design(
    out: Out, prevalence: float | None, sensitivity: float, specificity: float, stages: str | None,
    halving: str | None, side: int | None, master: bool, risks: str | None, optimal: optimum.Kind | None,
    max_size: int, min_size: int, plot: Path | None,
) -> Any:  # fmt: skip
    """What a design costs and misses, or the best of a kind."""
    asked = [one for one in (stages, halving, side, optimal) if one is not None]
    if len(asked) != 1:
        raise click.UsageError("Give one of --stages, --halving, --array, --optimal.")
    if master and side is None:
        raise click.UsageError("--master goes with --array.")
    if (prevalence is None) == (risks is None):
        raise click.UsageError("Give either --prevalence or --risks.")
    test = Test(sensitivity, specificity)
    if risks is not None:
        each = _risks(risks)
        layout = _layout(stages, halving)
        found = hierarchical.measure_informed(layout, each, test)
        risk = sum(each) / len(each)
    else:
        assert prevalence is not None
        risk = prevalence_of(prevalence)
        if side is not None:
            found = array.measure_array(side, risk, test, master=master)
        elif optimal is not None:
            found = optimum.optimal(optimal, risk, test, least=min_size, most=max_size)
        else:
            found = hierarchical.measure(_layout(stages, halving), risk, test)
    _show(out, found)
    advice = advising.advise(
        advising.certain(risk), Terms(test, PLOTTED, test_price=1, hour_price=0)
    )
    mark = (
        found.size if found.configuration.count(",") == 1 and ";" not in found.configuration else 0
    )
    _draw(out, _points(advice), mark, plot)
    return asdict(found)


@command(pool_group, "advise", light=True)
@click.option("--area", help="By the tubes of an area (code, id or name) in a round.")
@click.option("--round", "round_", help="Id or name; by default the newest.")
@click.option("--pools", help="The last round's tubes, size:tubes:positive,…")
@_prevalence
@_sensitivity
@_specificity
@click.option("--max-size", type=int, default=20, show_default=True)
@click.option(
    "--household", type=int, default=1, show_default=True, help="People who live together."
)
@click.option(
    "--correlation", type=float, default=0.0, show_default=True, help="Within a household."
)
@click.option(
    "--minutes", type=float, default=15.0, show_default=True, help="To swab one person again."
)
@click.option("--test-price", type=float, default=25.0, show_default=True)
@click.option("--hour-price", type=float, default=40.0, show_default=True)
@_plot
async def advise(
    out: Out, area: str | None, round_: str | None, pools: str | None, prevalence: float | None,
    sensitivity: float, specificity: float, max_size: int, household: int, correlation: float,
    minutes: float, test_price: float, hour_price: float, plot: Path | None,
) -> Any:  # fmt: skip
    """How many swabs in a tube here, with the reasons. Prices are examples: give your own."""
    if sum(one is not None for one in (area, pools, prevalence)) != 1:
        raise click.UsageError("Give one of --area, --pools, --prevalence.")
    if area is not None:
        pools = await _pools_of(out, area, round_)
    terms = Terms(
        Test(sensitivity, specificity),
        max_size,
        household,
        correlation,
        minutes,
        test_price,
        hour_price,
    )
    if pools is not None:
        belief = advising.posterior(estimating.read_pools(pools), terms)
    else:
        assert prevalence is not None
        belief = advising.certain(prevalence)
    advice = advising.advise(belief, terms)
    said = reasons(advice, terms)
    for english, chinese in said:
        out.say(f"• {english}", f"• {chinese}")
    _draw(out, _points(advice), advice.best.size, plot)
    return {**asdict(advice), "reasons": [{"en": one, "zh": other} for one, other in said]}


async def _pools_of(out: Out, area: str, round_: str | None) -> str:
    """The tested tubes of an area in a round, from the database; what needs none does not load it."""
    from muster.cli.output import opened
    from muster.lab import queries
    from muster.lab.pooling_api import NothingTested
    from muster.registry.queries import area as area_of
    from muster.sampling.queries import round_ as round_of

    async def work(out: Out, muster: Any) -> str:
        async with muster.pool.connection() as conn:
            place, when = await area_of(conn, area), await round_of(conn, round_)
            found = await queries.pools_of(conn, round=when["round"], area=place["area"])
        if not found:
            raise NothingTested(round=when["name"], area=place["name"])
        return ",".join(f"{one['size']}:{one['tested']}:{one['positive']}" for one in found)

    pools = await opened(work, out)
    out.say(f"Tubes (size:tested:positive): {pools}", f"采样管（人数:管数:阳性）：{pools}")
    return pools


@command(pool_group, "prevalence", light=True)
@click.option("--pools", required=True, help="size:pools:positive, with commas: 10:500:3,20:80:1.")
async def estimate(out: Out, pools: str) -> Any:
    """How common the infection is, by pools of any sizes, with a 95 % interval."""
    found = asdict(estimating.estimate(estimating.read_pools(pools)))
    _lines(out, found)
    return found


@command(pool_group, "decode", light=True)
@click.option(
    "--design", type=_file, required=True, help="A line a pool: 0 or 1 for each specimen."
)
@click.option("--ct", type=_file, required=True, help="A Ct for each pool.")
@click.option(
    "--limit", type=float, default=40.0, show_default=True, help="A later Ct is no signal."
)
async def decode(out: Out, design: Path, ct: Path, limit: float) -> Any:
    """Who is positive in a laboratory's study with overlapping pools; one wrong pool is found."""
    plan = read_design(_text(design))
    values = read_cts(_text(ct), plan)
    positive = [value is not None and value <= limit for value in values]
    read = decoding.decode(plan.holds, positive)
    found: dict[str, Any] = {
        call: [plan.specimens[i] for i in read.of(call)] for call in get_args(decoding.Call)
    }
    found |= {"stray_pools": [plan.pools[j] for j in read.stray], "explained": read.explained}
    _lines(out, {**found, "negative": len(found["negative"])})
    return found


@command(pool_group, "ct-shift", light=True)
@click.option("--members", type=int, required=True, help="Swabs in the tube; they do not dilute.")
@click.option("--tube-ml", type=float, required=True, help="Liquid in the tube.")
@click.option("--single-ml", type=float, required=True, help="Liquid in a tube for one swab.")
@click.option(
    "--efficiency", type=float, default=1.0, show_default=True, help="1: doubling a cycle."
)
@click.option("--ct-mean", type=float, help="Mean Ct of positives in single tubes.")
@click.option("--ct-sd", type=float, default=5.0, show_default=True)
@click.option("--limit", type=float, default=38.0, show_default=True, help="Last positive Ct.")
async def shift(
    out: Out, members: int, tube_ml: float, single_ml: float, efficiency: float,
    ct_mean: float | None, ct_sd: float, limit: float,
) -> Any:  # fmt: skip
    """How much later the signal comes by the tube's volume, and what share is still found."""
    found = asdict(dilution.ct_shift(
        members=members, tube_ml=tube_ml, single_ml=single_ml, efficiency=efficiency,
        ct_mean=ct_mean, ct_sd=ct_sd, limit=limit,
    ))  # fmt: skip
    _lines(out, found)
    return found


def _layout(stages: str | None, halving: str | None) -> hierarchical.Stages:
    if stages is not None:
        return hierarchical.read_stages(stages)
    if halving is None:
        raise click.UsageError("--risks goes with --stages or --halving.")
    try:
        size, deep = (int(part) for part in halving.split(":"))
    except ValueError:
        raise StagesUnfit(
            stages=halving,
            reason=Why("write SIZE:STAGES, such as 16:4", "请写 人数:级数，例如 16:4"),
        ) from None
    if deep not in hierarchical.STAGES:
        raise StagesUnfit(
            stages=halving, reason=Why(f"there are {deep} stages", f"共 {deep} 级，超出范围")
        )
    return hierarchical.halves(size, deep)


def _risks(text: str) -> list[float]:
    try:
        return [prevalence_of(float(part)) for part in text.split(",")]
    except ValueError:
        raise StagesUnfit(
            stages=text[:80], reason=Why("the risks are not numbers", "风险值不是数字")
        ) from None


_SAID = {
    "configuration": "方案", "size": "人数", "expected_tests": "期望检测数", "tests_per_person": "人均检测",
    "pooling_sensitivity": "整体灵敏度", "pooling_specificity": "整体特异度", "ppv": "阳性预测值", "npv": "阴性预测值",
    "estimate": "感染率估计", "low": "下限", "high": "上限", "method": "方法",
    "positive": "阳性", "negative": "阴性", "retest": "需单检", "stray_pools": "可能有误的混样",
    "explained": "可以解释", "members": "人数", "dilution": "稀释倍数",
    "ct_shift": "Ct 推迟", "sensitivity": "仍可检出比例",
}  # fmt: skip


def _lines(out: Out, found: dict[str, Any]) -> None:
    for name, value in found.items():
        shown = f"{value:.6g}" if isinstance(value, float) else value
        if isinstance(shown, bool | None):
            shown = out.pick("yes" if shown else "–", "是" if shown else "—")
        elif isinstance(shown, list):
            shown = ", ".join(shown) or "–"
        out.say(f"{name.replace('_', ' ')}: {shown}", f"{_SAID[name]}：{shown}")


def _show(out: Out, found: Measured) -> None:
    _lines(out, asdict(found))
    if found.tests_per_person >= 1:
        out.say("Pooling does not help here: test people alone.", "此处混采无益：请单采单检。")


def _points(advice: advising.Advice) -> list[Point]:
    return [Point(one.size, one.tests_per_person, one.floor) for one in advice.options]


def _draw(out: Out, points: list[Point], mark: int, plot: Path | None) -> None:
    words = CHINESE if out.language == "zh" else ENGLISH
    text = text_plot(points, mark, words)
    out.say(text, text)
    if plot is not None:
        plot.write_text(svg_plot(points, mark, words), encoding="utf-8")


def _text(path: Path) -> str:
    if path.stat().st_size > FILE_BYTES:
        raise FileUnusable(file=path, reason=f"it is larger than {FILE_BYTES:,} bytes")
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileUnusable(file=path, reason="it is no text")
