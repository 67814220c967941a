"""Language codes: the primary subtag of a language tag (BCP 47), that is, ISO 639-1, else ISO 639-3.

Scripts and regions (`zh-Hant`, `pt-BR`) are left out: nothing depends on them, because rules that differ by script look
at the characters of the text.
"""

import re
from typing import NamedTuple

from schemas.errors import quoted

DEFAULT = "en"
"""The language of prompts for a language that has none, and of texts whose letters do not tell the language."""

CODE = "[a-z]{2,3}"
TAG = re.compile(rf"({CODE})(?:[-_][A-Za-z0-9]{{1,8}})*", re.IGNORECASE)

TABLE = """
am amh Amharic 阿姆哈拉文
ar ara Arabic 阿拉伯文
az aze Azerbaijani 阿塞拜疆文
be bel Belarusian 白俄罗斯文
bg bul Bulgarian 保加利亚文
bn ben Bengali 孟加拉文
bo bod,tib Tibetan 藏文
bs bos Bosnian 波斯尼亚文
ca cat Catalan 加泰罗尼亚文
cs ces,cze Czech 捷克文
cy cym,wel Welsh 威尔士文
da dan Danish 丹麦文
de deu,ger German 德文
el ell,gre Greek 希腊文
en eng English 英文
es spa Spanish 西班牙文
et est Estonian 爱沙尼亚文
eu eus,baq Basque 巴斯克文
fa fas,per,pes Persian 波斯文
fi fin Finnish 芬兰文
fr fra,fre French 法文
ga gle Irish 爱尔兰文
gl glg Galician 加利西亚文
gu guj Gujarati 古吉拉特文
ha hau Hausa 豪萨文
he heb Hebrew 希伯来文
hi hin Hindi 印地文
hr hrv Croatian 克罗地亚文
hu hun Hungarian 匈牙利文
hy hye,arm Armenian 亚美尼亚文
id ind Indonesian 印度尼西亚文
ig ibo Igbo 伊博文
is isl,ice Icelandic 冰岛文
it ita Italian 意大利文
ja jpn Japanese 日文
ka kat,geo Georgian 格鲁吉亚文
kk kaz Kazakh 哈萨克文
km khm Khmer 高棉文
kn kan Kannada 卡纳达文
ko kor Korean 韩文
ku kur Kurdish 库尔德文
la lat Latin 拉丁文
lo lao Lao 老挝文
lt lit Lithuanian 立陶宛文
lv lav Latvian 拉脱维亚文
mk mkd,mac Macedonian 马其顿文
ml mal Malayalam 马拉雅拉姆文
mn mon Mongolian 蒙古文
mr mar Marathi 马拉地文
ms msa,may Malay 马来文
mt mlt Maltese 马耳他文
my mya,bur Burmese 缅甸文
ne nep Nepali 尼泊尔文
nl nld,dut Dutch 荷兰文
no nor Norwegian 挪威文
or ori Odia 奥里亚文
pa pan Punjabi 旁遮普文
pl pol Polish 波兰文
ps pus Pashto 普什图文
pt por Portuguese 葡萄牙文
ro ron,rum Romanian 罗马尼亚文
ru rus Russian 俄文
sa san Sanskrit 梵文
si sin Sinhala 僧伽罗文
sk slk,slo Slovak 斯洛伐克文
sl slv Slovenian 斯洛文尼亚文
sq sqi,alb Albanian 阿尔巴尼亚文
sr srp Serbian 塞尔维亚文
sv swe Swedish 瑞典文
sw swa Swahili 斯瓦希里文
ta tam Tamil 泰米尔文
te tel Telugu 泰卢固文
th tha Thai 泰文
tl tgl,fil Filipino 菲律宾文
tr tur Turkish 土耳其文
ug uig Uyghur 维吾尔文
uk ukr Ukrainian 乌克兰文
ur urd Urdu 乌尔都文
uz uzb Uzbek 乌兹别克文
vi vie Vietnamese 越南文
yo yor Yoruba 约鲁巴文
zh zho,chi,cmn Chinese 中文
"""
"""ISO 639-1, the codes of ISO 639-2 and 639-3 that are read as it, and the name in English and Chinese."""

OTHERS = """
aa ab ae af ak an as av ay ba bi bm br ce ch co cr cu cv dv dz ee eo ff fj fo fy gd gn gv ho ht hz ia ie ii ik io iu jv
kg ki kj kl kr ks kv kw ky lb lg li ln lu mg mh mi na nb nd ng nn nr nv ny oc oj om os pi qu rm rn rw sc sd se sg sm sn
so ss st su tg ti tk tn to ts tt tw ty ve vo wa wo xh yi za zu
"""
"""The codes of ISO 639-1 that are not in TABLE."""

COUNTRIES = {"cn": "zh", "cz": "cs", "dk": "da", "gb": "en", "gr": "el", "jp": "ja", "ua": "uk", "us": "en"}
"""Codes of countries that are no languages → the language that was probably meant."""


class Names(NamedTuple):
    """The names of a language."""

    en: str
    zh: str


NAMES: dict[str, Names] = {}
SHORT: dict[str, str] = {}
TWO_LETTERS = frozenset(OTHERS.split())
for line in TABLE.split("\n")[1:-1]:
    two, three, *names = line.split(" ")
    NAMES[two] = Names(*names)
    SHORT |= dict.fromkeys(three.split(","), two)


def code(tag: str) -> str | None:
    """The code in a language tag: `zh-Hant-TW` → `zh`, `deu` → `de`, `EN_us` → `en`; None if the tag is none.

    A code of two letters must be in ISO 639-1. Of the thousands of codes with three letters, any is accepted.
    """
    match = TAG.fullmatch(tag.strip())
    if not match:
        return None
    primary = match[1].lower()
    if len(primary) == 3:
        return SHORT.get(primary, primary)
    return primary if primary in NAMES or primary in TWO_LETTERS else None


def problem(what: str, tag: object) -> str:
    """Why `code` refuses the value of `what`."""
    return f"{what} is {quoted(tag)}; it must be {expected(tag)}"


def expected(tag: object) -> str:
    """What a tag that `code` refuses must be, with the code that was probably meant."""
    text = tag.strip().lower() if isinstance(tag, str) else ""
    likely = next((each for each, names in NAMES.items() if text in (names.en.lower(), names.zh)), COUNTRIES.get(text))
    example = f"{likely} for {NAMES[likely].en}" if likely else "de or ja"
    return f"a language code (ISO 639-1, else 639-3), such as {example}"


def name(lang: str, within: str = "en") -> str:
    """The name of a language in English or Chinese (`within`: en or zh); the code itself if it is not in the table."""
    names = NAMES.get(lang)
    return lang if names is None else getattr(names, within)
