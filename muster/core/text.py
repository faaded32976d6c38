"""Text as people type it: cleaned for storing, folded for matching, spelled in pinyin for search.

Only `clean` is fit for what is stored. The others lose something (`simplified` turns the name 张乾
into 张干) and serve comparison only.
"""

import re
import unicodedata
from functools import cache, lru_cache

_CACHED_TEXTS = 32_768  # folded words: column names, kinds, areas; well above a city's communities


def clean(text: str) -> str:
    """Half-width, without invisible characters, white space collapsed and trimmed.

    Characters of the private use area stay: some registers write rare names with them. Fast for
    text that is already clean, which is nearly all of an import.
    """
    if text.isprintable() and (text.isascii() or unicodedata.is_normalized("NFKC", text)):
        if " " not in text:
            return text
    else:
        text = unicodedata.normalize("NFKC", text.translate(_VISIBLE)).translate(_VISIBLE)
    return " ".join(text.split())


class _Visible(dict[int, str | None]):
    """A translation table that decides about each character once, when it is first met."""

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        if char.isspace():
            kept = " "
        else:
            # Cc control, Cf zero-width and byte order marks, Cs half of a surrogate pair.
            kept = None if unicodedata.category(char) in {"Cc", "Cf", "Cs"} else char
        self[code] = kept
        return kept


_VISIBLE = _Visible()


@lru_cache(_CACHED_TEXTS)
def fold(text: str) -> str:
    """The form in which headers, kinds and area names are compared.

    Clean, without glosses, simplified, lower case, without spaces and underscores; a mark typed
    twice counts once. Hyphens stay: building 5-2 is not building 52.
    """
    text = simplified(without_glosses(clean(text))).casefold()
    return _DOUBLED_MARK.sub(r"\1", text.replace(" ", "").replace("_", ""))


_DOUBLED_MARK = re.compile(r"([,、。;:])\1+")


def simplified(text: str) -> str:
    """The same text in simplified characters. For comparing only; see the head of this file."""
    return text if text.isascii() else _simplified(text)


@lru_cache(_CACHED_TEXTS)
def _simplified(text: str) -> str:
    return _converter().convert(text)


@cache
def _converter():  # -> opencc.OpenCC
    from opencc import OpenCC  # 20 ms and some MB, needed by imports and searches only

    return OpenCC("t2s")


def without_glosses(text: str) -> str:
    """Removes pinyin that a web page injected behind characters: "網(wǎng)絡(luò)" becomes "網絡".

    What is in brackets for another reason stays: a gloss bears a tone mark, or spells the very
    character before it. "核酸(PCR)", "组(A)" and "电话(tel)" are left alone.
    """
    if "(" not in text and "（" not in text:
        return text
    return _GLOSS.sub(_gloss_removed, text)


# A syllable has one to six letters; ɑ and ɡ are the phonetic letters some pages use for a and g.
_GLOSS = re.compile(r"([\u3400-\u9fff])[(（]\s*([a-zɑɡü\u00e0-\u01dc\u0300-\u030c]{1,8})\s*[)）]")
_TONES = {0x300: None, 0x301: None, 0x304: None, 0x30C: None}


def _gloss_removed(match: re.Match[str]) -> str:
    char, gloss = match.groups()
    decomposed = unicodedata.normalize("NFD", gloss.replace("ɑ", "a").replace("ɡ", "g"))
    toneless = decomposed.translate(_TONES)
    has_tone = toneless != decomposed
    syllable = unicodedata.normalize("NFC", toneless).replace("ü", "v")
    is_gloss = len(syllable) <= 6 and (has_tone or syllable in _readings(char))
    return char if is_gloss else match.group()


@lru_cache(_CACHED_TEXTS)
def _readings(char: str) -> frozenset[str]:
    from pypinyin import Style, pinyin

    return frozenset(pinyin(char, style=Style.NORMAL, heteronym=True)[0])


@lru_cache(_CACHED_TEXTS)  # an import asks twice for each name, soon after each other
def pinyin(name: str) -> tuple[str, str]:
    """Full pinyin without tones, and initials: 张丽华 -> ("zhanglihua", "zlh").

    The surname is read as a surname is; the rest character by character with its commonest
    reading. ü is written v, as it is typed. Latin letters and digits pass through in lower case,
    one initial a word; marks and characters without a reading are left out.
    """
    start = 2 if name[:2] in _SURNAMES else 1 if name[:1] in _SURNAMES else 0
    syllables = [*_SURNAMES[name[:start]]] if start else []
    for char in name[start:]:
        syllable = _SYLLABLES.get(char)
        if syllable is None:
            syllable = _SYLLABLES[char] = _syllable(char)
        syllables.append(syllable)
    if name.isascii() or _LATIN.search(name):
        return _with_words(name, start, syllables)
    return "".join(syllables), "".join([syllable[:1] for syllable in syllables])


_LATIN = re.compile(r"[^\W\d_]", re.ASCII)
_SYLLABLES: dict[str, str] = {}


def _syllable(char: str) -> str:
    """The commonest reading of one character, or "" when it has none."""
    if char.isalnum() and (char.isascii() or not _IS_CHINESE.match(char)):
        return unicodedata.normalize("NFKD", char).lower()[:1]
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(char, style=Style.NORMAL, errors="ignore"))


_IS_CHINESE = re.compile(r"[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def _with_words(name: str, start: int, syllables: list[str]) -> tuple[str, str]:
    """Initials for a name with Latin words in it: one a word, as people type them."""
    initials = [syllable[:1] for syllable in syllables[: len(syllables) - len(name) + start]]
    in_word = False
    for char, syllable in zip(name[start:], syllables[len(initials) :], strict=True):
        is_latin = char.isalnum() and not _IS_CHINESE.match(char)
        if not (is_latin and in_word):
            initials.append(syllable[:1])
        in_word = is_latin
    return "".join(syllables), "".join(initials)


def _surnames() -> dict[str, tuple[str, ...]]:
    """Surnames whose reading differs from the character's commonest one, both scripts.

    The pinyin library has no mode for names (python-pinyin issue 297). Surnames that their own
    families read in two ways keep the commonest reading: 盖 gai, 牟 mou, 隗 kui.
    """
    table = (
        "单單 shan,曾 zeng,解 xie,仇 qiu,区區 ou,查 zha,朴 piao,翟 zhai,缪繆 miao,乐樂 yue,"
        "种 chong,秘祕 bi,繁 po,折 she,员員 yun,贠貟 yun,佴 nai,藏 zang,召 shao,祭 zhai,句 gou,"
        "洗 xian,炅 gui,乜 nie,阚闞 kan,覃 qin,都 du,卜 bu"
    )
    surnames: dict[str, tuple[str, ...]] = {}
    for entry in table.split(","):
        characters, syllable = entry.split()
        surnames |= dict.fromkeys(characters, (syllable,))
    two = "万俟萬俟 mo qi,尉迟尉遲 yu chi,澹台澹臺 tan tai,单于單于 chan yu,长孙長孫 zhang sun"
    for entry in two.split(","):
        characters, *syllables = entry.split()
        surnames |= {characters[:2]: tuple(syllables), characters[2:]: tuple(syllables)}
    return surnames


_SURNAMES = _surnames()
