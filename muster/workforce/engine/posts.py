"""What somebody may be asked to do: the roles at posts, what they need, and what they are called."""

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal[
    "sampler", "registrar", "queue_guide", "phone_helper", "caller", "order_keeper", "escort", "courier",
    "lab_worker", "tracer", "door_worker", "gate_guard", "disinfector", "driver", "site_chief", "police", "other",
]  # fmt: skip


@dataclass(frozen=True)
class Post:
    """A role at a post. `trained`: nobody stands there before passing its training; `suit`: it is done in a
    protective suit, so age and health count."""

    name: str
    zh: str
    trained: bool = False
    suit: bool = False


POSTS: dict[str, Post] = {
    post.name: post
    for post in (
        Post("sampler", "采样员", trained=True, suit=True),
        Post("registrar", "登记员", trained=True),
        Post("queue_guide", "引导员"),
        Post("phone_helper", "扫码协助员"),
        Post("caller", "呼叫员"),
        Post("order_keeper", "秩序维护员"),
        Post("escort", "陪护员"),
        Post("courier", "转运员"),
        Post("lab_worker", "检验员", trained=True, suit=True),
        Post("tracer", "流调员", trained=True),
        Post("door_worker", "入户人员"),
        Post("gate_guard", "卡口值守员"),
        Post("disinfector", "消杀员", trained=True, suit=True),
        Post("driver", "驾驶员"),
        Post("site_chief", "点位负责人"),
        Post("police", "公安"),
        Post("other", "其他"),
    )
}
assert set(POSTS) == set(get_args(Role))
