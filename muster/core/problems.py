"""The error catalogue: one class per problem. Its docstring is the English message, `zh` the
Chinese one, both filled in with the facts of the case; the slug is stable and is what programs
compare. Rendered over HTTP as RFC 9457 problem details.

A domain adds its own problems by subclassing `Problem` in its own files.
"""

import re
from typing import Any, ClassVar


def _slug(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Problem(Exception):
    """Something went wrong: {detail}"""

    zh: ClassVar[str] = "出错了：{detail}"
    status: ClassVar[int] = 400
    slug: ClassVar[str] = "problem"
    catalogue: ClassVar[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.slug = _slug(cls.__name__)
        known = Problem.catalogue.get(cls.slug)
        if known is not None and known.__module__ != cls.__module__:
            raise TypeError(f"two problems named {cls.slug}")
        Problem.catalogue[cls.slug] = cls

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def message(self, language: str = "en") -> str:
        """The message with its facts filled in; `language` is "en" or "zh"."""
        template = self.zh if language == "zh" else " ".join((self.__doc__ or "").split())
        return template.format_map(self.facts)

    def __str__(self) -> str:
        return self.message()

    def details(self, language: str = "en") -> dict[str, object]:
        """RFC 9457 members: type, title, status, detail, and the facts under `facts`."""
        return {
            "type": f"urn:muster:problem:{self.slug}",
            "title": self.slug.replace("-", " "),
            "status": self.status,
            "detail": self.message(language),
            "facts": {name: str(value) for name, value in self.facts.items()},
        }


class StorageUnavailable(Problem):
    """The database cannot store anything at the moment ({reason}). Nothing that was acknowledged is
    lost; keep what you have and send it again in {seconds} seconds."""

    zh = (
        "数据库暂时无法写入（{reason}）。已确认的数据没有丢失；请保留待发数据，{seconds} 秒后重发。"
    )
    status = 503


class TooBusy(Problem):
    """More uploads are waiting than the server accepts. Keep yours and send it again in {seconds}
    seconds."""

    zh = "排队的上传过多。请保留待发数据，{seconds} 秒后重发。"
    status = 503
