"""Pools that are split when positive, in two to four stages, with one risk for all or one for each.

A pool g is tested when every pool around it was positive. With N(g) = product of q_i over g (nobody in g is
infected) and nested pools g_1, g_2, …, g_k, truth is positive down to some depth t and negative below:
  P(all k positive) = sum over t of [N(g_{t+1}) - N(g_t)] Se^t (1 - Sp)^(k-t),  N(g_0) = 0, N(g_{k+1}) = 1.
ET adds this over what is around each pool; PSe_i = Se^(tests that i passes through); 1 - PSp_i is the same
sum with i known to be well, N divided by q_i (Kim et al. 2007, section 2; Black, Bilder, Tebbs 2015).
A pool of one is a person: once tested alone, nobody is tested alone again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from muster.lab.engine.pooling.faults import SizeUnfit, StagesUnfit, Why
from muster.lab.engine.pooling.measures import Measured, Test, prevalence_of, sum_up

STAGES = range(2, 7)  # how deep a design may be
MOST = 1_000  # people in a design

Stages = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Pool:
    first: int
    last: int  # one past
    parts: tuple["_Pool", ...] = ()


def read_stages(text: str) -> Stages:
    """Sizes of the pools of each stage, of `24,6,1` (equal splits) or `24;5,5,5,5,4;1` (lists)."""
    try:
        if ";" in text:
            levels = [[int(size) for size in level.split(",")] for level in text.split(";")]
        else:
            sizes = [int(size) for size in text.split(",")]
            levels = _equal(sizes, text)
    except ValueError:
        raise StagesUnfit(
            stages=text, reason=Why("these are not whole numbers", "不是整数")
        ) from None
    if any(size < 1 for level in levels for size in level):
        raise StagesUnfit(stages=text, reason=Why("a size is below 1", "人数小于 1"))
    total = sum(levels[0])
    if not 1 <= total <= MOST:
        raise SizeUnfit(size=total, least=1, most=MOST)
    if levels[-1] == [1]:
        levels[-1] = [1] * total
    return check_stages(tuple(tuple(level) for level in levels))


def _equal(sizes: list[int], text: str) -> list[list[int]]:
    if sizes and not 1 <= sizes[0] <= MOST:
        raise SizeUnfit(size=sizes[0], least=1, most=MOST)
    for above, below in pairwise(sizes):
        if below < 1 or above % below:
            raise StagesUnfit(
                stages=text,
                reason=Why(f"{below} does not divide {above}", f"{above} 不能被 {below} 整除"),
            )
    return [[size] * (sizes[0] // size) for size in sizes]


def check_stages(stages: Stages) -> Stages:
    """The stages, if they are a design: one pool at first, people alone at last, each split exact."""
    text = write_stages(stages)
    if len(stages) not in STAGES:
        raise StagesUnfit(
            stages=text,
            reason=Why(
                f"there are {len(stages)} stages, not 2 to {STAGES[-1]}",
                f"共 {len(stages)} 级，应为 2 至 {STAGES[-1]} 级",
            ),
        )
    if len(stages[0]) != 1:
        raise StagesUnfit(
            stages=text, reason=Why("the first stage must be one pool", "第一级须为一个混样")
        )
    total = stages[0][0]
    if any(size != 1 for size in stages[-1]):
        raise StagesUnfit(
            stages=text, reason=Why("the last stage must test people alone", "最后一级须逐人检测")
        )
    for level in stages:
        if sum(level) != total:
            raise StagesUnfit(
                stages=text,
                reason=Why(
                    f"{sum(level)} people in a stage, {total} in the pool",
                    f"某一级 {sum(level)} 人，整管 {total} 人",
                ),
            )
    for above, below in pairwise(stages):
        if not set(_ends(above)) <= set(_ends(below)):
            raise StagesUnfit(
                stages=text,
                reason=Why(
                    "a pool holds people of two pools of the stage before",
                    "有混样跨了上一级的两个混样",
                ),
            )
    return stages


def write_stages(stages: Stages) -> str:
    """`24,6,1` where splits are equal, else `24;5,5,5,5,4;1`."""
    if all(len(set(level)) == 1 for level in stages):
        return ",".join(str(level[0]) for level in stages)
    lists = [",".join(map(str, level)) for level in stages[:-1]]
    return ";".join([*lists, "1"])


def halves(size: int, stages: int) -> Stages:
    """Halving: every pool split into two, the smaller first, until the last stage tests people alone
    (Black, Bilder, Tebbs 2012, Applied Statistics 61:277)."""
    if not 2 <= size <= MOST:
        raise SizeUnfit(size=size, least=2, most=MOST)
    levels: list[tuple[int, ...]] = [(size,)]
    for _ in range(stages - 2):
        levels.append(tuple(part for one in levels[-1] for part in (one // 2, one - one // 2)))
    if 0 in levels[-1]:
        raise StagesUnfit(
            stages=f"{size} / {stages}",
            reason=Why(
                "there are too few people to halve so often", "人数太少，不能对半分这么多次"
            ),
        )
    return check_stages((*levels, (1,) * size))


def measure(stages: Stages, risk: float, test: Test) -> Measured:
    """A design where everybody has the same risk."""
    return measure_risks(stages, [prevalence_of(risk)] * stages[0][0], test)


def measure_informed(stages: Stages, risks: Sequence[float], test: Test) -> Measured:
    """A design with people placed by their risk, the lowest first: give the large pools first, the
    small ones for those at risk last (informative testing; McMahan, Tebbs, Bilder 2012, Biometrics 68:287)."""
    if len(risks) != stages[0][0]:
        raise StagesUnfit(
            stages=write_stages(stages),
            reason=Why(
                f"there are {len(risks)} risks for {stages[0][0]} people",
                f"{stages[0][0]} 人却有 {len(risks)} 个风险值",
            ),
        )
    return measure_risks(stages, sorted(prevalence_of(p) for p in risks), test)


def measure_risks(stages: Stages, risks: Sequence[float], test: Test) -> Measured:
    """A design with people in the order given."""
    expected, found, cleared = 0.0, [0.0] * len(risks), [0.0] * len(risks)
    for path in _paths(_tree(stages), ()):
        nobody = [prod(1 - p for p in risks[g.first : g.last]) for g in path]
        expected += _all_positive(nobody[:-1], test)
        pool = path[-1]
        if not pool.parts:
            i = pool.first
            found[i] = test.sensitivity ** len(path)
            others = [prod(1 - risks[j] for j in range(g.first, g.last) if j != i) for g in path]
            cleared[i] = 1 - _all_positive(others, test)
    return sum_up(
        write_stages(stages), expected=expected, risks=risks, found=found, cleared=cleared
    )


def _all_positive(nobody: Sequence[float], test: Test) -> float:
    """P(all nested pools test positive) from the chance that nobody in each, outermost first, is."""
    bounds = [0.0, *nobody, 1.0]
    depth = len(nobody)
    return sum(
        (bounds[t + 1] - bounds[t]) * test.sensitivity**t * (1 - test.specificity) ** (depth - t)
        for t in range(depth + 1)
    )


def _tree(stages: Stages) -> _Pool:
    def pool(first: int, last: int, level: int) -> _Pool:
        if last - first == 1:
            return _Pool(first, last)
        inside = [end for end in _ends(stages[level]) if first < end <= last]
        parts = zip([first, *inside], inside, strict=False)
        if len(inside) == 1:  # a pool that is not split here waits for the next stage
            return pool(first, last, level + 1)
        return _Pool(first, last, tuple(pool(a, b, level + 1) for a, b in parts))

    return pool(0, stages[0][0], 1)


def _paths(pool: _Pool, above: tuple[_Pool, ...]) -> Iterator[tuple[_Pool, ...]]:
    path = (*above, pool)
    yield path
    for part in pool.parts:
        yield from _paths(part, path)


def _ends(level: Sequence[int]) -> list[int]:
    ends, so_far = [], 0
    for size in level:
        so_far += size
        ends.append(so_far)
    return ends
