"""Names as they are distributed, not as anyone in particular is called: surnames by frequency,
given names by sex and generation, and the traditional forms that another office may have typed.
"""

from random import Random
from typing import NamedTuple

# About a hundred common surnames with their share of people in 1/10,000, rounded from published
# name statistics, with those of the Shandong peninsula (于, 曲, 宫, 初 ...) raised by us.
SURNAMES = (
    "王 980 李 760 张 740 刘 620 陈 300 杨 270 赵 260 孙 330 于 300 黄 130 吴 150 周 150 徐 210 "
    "马 150 朱 130 胡 100 林 140 郭 120 何 80 高 150 罗 60 郑 90 梁 70 谢 60 宋 150 唐 60 许 80 "
    "邓 40 冯 80 韩 110 曹 90 曾 30 彭 40 肖 50 蔡 40 潘 50 田 60 董 100 袁 50 余 30 叶 30 蒋 40 "
    "杜 60 苏 50 魏 60 程 50 吕 80 丁 60 沈 40 任 60 姚 50 卢 50 傅 40 钟 30 姜 150 崔 80 谭 40 "
    "廖 20 范 40 汪 30 陆 30 金 40 石 40 戴 30 贾 40 夏 30 邱 40 方 30 侯 40 邹 50 熊 20 孟 50 "
    "秦 30 白 30 江 30 阎 20 薛 30 尹 30 段 20 雷 20 史 30 陶 20 贺 20 顾 20 毛 20 郝 30 龚 20 "
    "邵 30 万 20 钱 20 严 20 曲 120 宫 60 初 50 慕 20 衣 30 矫 20 隋 50 迟 50 栾 50 牟 60 柳 40"
)

# Characters of given names, men's and women's, for those born before 1965, before 1990, and since.
GENERATIONS = (1965, 1990)
GIVEN_MALE = (
    "华明荣海山福生忠国建民德祥贵玉志文义春学成永兴树庆云清书洪有维景延殿世传吉",
    "伟强军勇磊涛斌波刚辉鹏飞超杰峰毅宁亮平东健俊凯旭晓洪江明志海建国永文新卫利",
    "浩宇轩睿博涵昊俊晨铭泽文子天梓诺奕辰嘉逸霖煜祺皓然翰哲家航宸恒鑫瑞凯旭佳明",
)
GIVEN_FEMALE = (
    "英兰芳珍芝荣琴花秀桂玉凤淑美华云梅素香莲娥爱春翠月红敏洪金瑞惠贞世风书",
    "丽敏静娟艳霞燕红萍玲娜倩婷雪慧莉颖洁琳丹晶晓蕾英芳春海秀玉志文新爱华永",
    "欣怡萱涵雨琪彤悦妍梓诗可馨佳语桐诺思若曦芷雅梦瑶晨宁嘉子奕琳安冉一艺心",
)
SINGLE_CHARACTER_SHARE = (0.18, 0.42, 0.12)  # one-character names were the fashion of the middle
POOL = 4_096

# Character by character, for the surnames and given names above (于, 余 and 范 keep their
# form as surnames): imports must find the same person in both scripts.
_SIMPLIFIED = (
    "万东严丽义书云伟传兰兴军冯凤凯刘刚华卢卫叶吕吴国孙学宁宫庆张强恒悦晓杨杰树栾梦泽洁涛爱瑶矫"
    "红维罗艳艺苏荣莲蒋许诗语诺谢谭贞贵贺贾赵轩辉迟邓邹郑钟钱铭阎陆陈静韩顾颖风飞马鹏黄龚"
)
_TRADITIONAL = (
    "萬東嚴麗義書雲偉傳蘭興軍馮鳳凱劉剛華盧衛葉呂吳國孫學寧宮慶張強恆悅曉楊傑樹欒夢澤潔濤愛瑤矯"
    "紅維羅艷藝蘇榮蓮蔣許詩語諾謝譚貞貴賀賈趙軒輝遲鄧鄒鄭鍾錢銘閻陸陳靜韓顧穎風飛馬鵬黃龔"
)
TO_TRADITIONAL = str.maketrans(_SIMPLIFIED, _TRADITIONAL)


class NamePools(NamedTuple):
    """Ready-made draws: one random index each. `given[sex][generation]`, sex 0 male, 1 female."""

    surnames: list[str]
    given: tuple[tuple[list[str], ...], tuple[list[str], ...]]


def name_pools(rng: Random) -> NamePools:
    words: list[str] = [*SURNAMES.split()]
    surnames = rng.choices(words[::2], [int(share) for share in words[1::2]], k=POOL)
    male = tuple(_given(rng, GIVEN_MALE[i], SINGLE_CHARACTER_SHARE[i]) for i in range(3))
    female = tuple(_given(rng, GIVEN_FEMALE[i], SINGLE_CHARACTER_SHARE[i]) for i in range(3))
    return NamePools(surnames, (male, female))


def generation(year: int) -> int:
    """0, 1 or 2 by year of birth."""
    return sum(year >= since for since in GENERATIONS)


def traditional(name: str) -> str:
    return name.translate(TO_TRADITIONAL)


def _given(rng: Random, characters: str, single_share: float) -> list[str]:
    names = []
    for _ in range(POOL):
        if rng.random() < single_share:
            # The first characters of each line are those that stand alone most often.
            names.append(characters[int(len(characters) * rng.random() ** 2)])
        else:
            names.append("".join(rng.sample(characters, 2)))
    return names
