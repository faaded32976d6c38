"""An advice's reasons in words, English and Chinese, the weightiest first."""

from muster.lab.engine.pooling.advising import Advice, Terms
from muster.lab.engine.pooling.measures import floor


def reasons(advice: Advice, terms: Terms) -> list[tuple[str, str]]:
    """(English, Chinese) for each reason."""
    best, p = advice.best, advice.prevalence
    said = [_prevalence(advice)]
    if best.size == 1:
        said.append((
            "Infection is too common here for pools to help: test people alone.",
            "此地感染率过高，混采已无益处：请单采单检。",
        ))  # fmt: skip
    else:
        said.append((
            f"{best.size} in a tube costs least: {best.tests_per_person:.4f} tests a person; of 10,000 people"
            f" {best.called_back:.0f} are called back, {best.reswab_hours:.0f} hours of swabbing.",
            f"每管 {best.size} 人花费最低：人均 {best.tests_per_person:.4f} 次检测；"
            f"每万人召回 {best.called_back:.0f} 人，重采 {best.reswab_hours:.0f} 工时。",
        ))  # fmt: skip
    if advice.flat_from < advice.flat_to:
        said.append((
            f"The choice is nearly flat: {advice.flat_from} to {advice.flat_to} in a tube cost within 5 % of it.",
            f"选择余地很大：每管 {advice.flat_from} 至 {advice.flat_to} 人，费用相差不到 5%。",
        ))  # fmt: skip
    if best.size == terms.most > 1:
        said.append((
            f"The limit of {terms.most} in a tube decides; half-full tubes cost like full ones.",
            f"决定因素是每管 {terms.most} 人的上限；装不满的管与满管花费相同。",
        ))  # fmt: skip
    low = floor(p, terms.most)
    said.append((
        f"No scheme with at most {terms.most} in a tube can need fewer than {low:.4f} tests a person.",
        f"每管不超过 {terms.most} 人时，任何方案人均检测都不会少于 {low:.4f} 次。",
    ))  # fmt: skip
    if best.size > 1 and terms.correlation > 0 and terms.household > 1:
        said.append((
            f"Households in one tube: {best.tests_per_person:.4f} tests a person; scattered over tubes"
            f" {advice.scattered:.4f}.",
            f"同户同管：人均 {best.tests_per_person:.4f} 次；若分散到各管为 {advice.scattered:.4f} 次。",
        ))  # fmt: skip
    said.append((
        f"Of 100 infected people {100 * best.missed_share:.1f} are missed.",
        f"每 100 名感染者约漏检 {100 * best.missed_share:.1f} 人。",
    ))  # fmt: skip
    return said


def _prevalence(advice: Advice) -> tuple[str, str]:
    each = 10_000
    p, low, high = (_few(each * one) for one in (advice.prevalence, advice.low, advice.high))
    if advice.low == advice.high:
        return f"Taken as known: {p} infected in 10,000.", f"按已知感染率：每万人 {p} 人。"
    return (
        f"By these tubes {p} in 10,000 are infected ({low} to {high}).",
        f"据这些采样管，每万人约 {p} 人感染（{low} 至 {high}）。",
    )


def _few(count: float) -> str:
    """As many places as anybody reads."""
    return f"{count:.2g}" if 0.01 <= count < 100 else f"{count:.0f}" if count >= 100 else "<0.01"
