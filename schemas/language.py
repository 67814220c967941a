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
aa aar Afar 阿法尔文
ab abk Abkhazian 阿布哈兹文
ae ave Avestan 阿维斯陀文
af afr Afrikaans 南非荷兰文
ak aka Akan 阿坎文
am amh Amharic 阿姆哈拉文
an arg Aragonese 阿拉贡文
ar ara Arabic 阿拉伯文
as asm Assamese 阿萨姆文
av ava Avaric 阿瓦尔文
ay aym Aymara 艾马拉文
az aze Azerbaijani 阿塞拜疆文
ba bak Bashkir 巴什基尔文
be bel Belarusian 白俄罗斯文
bg bul Bulgarian 保加利亚文
bi bis Bislama 比斯拉马文
bm bam Bambara 班巴拉文
bn ben Bengali 孟加拉文
bo bod,tib Tibetan 藏文
br bre Breton 布列塔尼文
bs bos Bosnian 波斯尼亚文
ca cat Catalan 加泰罗尼亚文
ce che Chechen 车臣文
ch cha Chamorro 查莫罗文
co cos Corsican 科西嘉文
cr cre Cree 克里文
cs ces,cze Czech 捷克文
cu chu Church_Slavonic 教会斯拉夫文
cv chv Chuvash 楚瓦什文
cy cym,wel Welsh 威尔士文
da dan Danish 丹麦文
de deu,ger German 德文
dv div Dhivehi 迪维希文
dz dzo Dzongkha 宗喀文
ee ewe Ewe 埃维文
el ell,gre Greek 希腊文
en eng English 英文
eo epo Esperanto 世界语
es spa Spanish 西班牙文
et est Estonian 爱沙尼亚文
eu eus,baq Basque 巴斯克文
fa fas,per,pes Persian 波斯文
ff ful Fula 富拉文
fi fin Finnish 芬兰文
fj fij Fijian 斐济文
fo fao Faroese 法罗文
fr fra,fre French 法文
fy fry Western_Frisian 西弗里西亚文
ga gle Irish 爱尔兰文
gd gla Scottish_Gaelic 苏格兰盖尔文
gl glg Galician 加利西亚文
gn grn Guarani 瓜拉尼文
gu guj Gujarati 古吉拉特文
gv glv Manx 马恩文
ha hau Hausa 豪萨文
he heb Hebrew 希伯来文
hi hin Hindi 印地文
ho hmo Hiri_Motu 希里莫图文
hr hrv Croatian 克罗地亚文
ht hat Haitian_Creole 海地克里奥尔文
hu hun Hungarian 匈牙利文
hy hye,arm Armenian 亚美尼亚文
hz her Herero 赫雷罗文
ia ina Interlingua 国际语
id ind Indonesian 印度尼西亚文
ie ile Interlingue 西方国际语
ig ibo Igbo 伊博文
ii iii Nuosu 诺苏文
ik ipk Inupiaq 伊努皮亚克文
io ido Ido 伊多语
is isl,ice Icelandic 冰岛文
it ita Italian 意大利文
iu iku Inuktitut 因纽特文
ja jpn Japanese 日文
jv jav Javanese 爪哇文
ka kat,geo Georgian 格鲁吉亚文
kg kon Kongo 刚果文
ki kik Kikuyu 基库尤文
kj kua Kuanyama 宽亚玛文
kk kaz Kazakh 哈萨克文
kl kal Greenlandic 格陵兰文
km khm Khmer 高棉文
kn kan Kannada 卡纳达文
ko kor Korean 韩文
kr kau Kanuri 卡努里文
ks kas Kashmiri 克什米尔文
ku kur Kurdish 库尔德文
kv kom Komi 科米文
kw cor Cornish 康沃尔文
ky kir Kyrgyz 吉尔吉斯文
la lat Latin 拉丁文
lb ltz Luxembourgish 卢森堡文
lg lug Ganda 卢干达文
li lim Limburgish 林堡文
ln lin Lingala 林加拉文
lo lao Lao 老挝文
lt lit Lithuanian 立陶宛文
lu lub Luba-Katanga 鲁巴加丹加文
lv lav Latvian 拉脱维亚文
mg mlg Malagasy 马尔加什文
mh mah Marshallese 马绍尔文
mi mri,mao Maori 毛利文
mk mkd,mac Macedonian 马其顿文
ml mal Malayalam 马拉雅拉姆文
mn mon Mongolian 蒙古文
mr mar Marathi 马拉地文
ms msa,may Malay 马来文
mt mlt Maltese 马耳他文
my mya,bur Burmese 缅甸文
na nau Nauruan 瑙鲁文
nb nob Norwegian_Bokmål 书面挪威文
nd nde North_Ndebele 北恩德贝莱文
ne nep Nepali 尼泊尔文
ng ndo Ndonga 恩东加文
nl nld,dut Dutch 荷兰文
nn nno Norwegian_Nynorsk 新挪威文
no nor Norwegian 挪威文
nr nbl South_Ndebele 南恩德贝莱文
nv nav Navajo 纳瓦霍文
ny nya Chichewa 齐切瓦文
oc oci Occitan 奥克文
oj oji Ojibwe 奥吉布瓦文
om orm Oromo 奥罗莫文
or ori Odia 奥里亚文
os oss Ossetian 奥塞梯文
pa pan Punjabi 旁遮普文
pi pli Pali 巴利文
pl pol Polish 波兰文
ps pus Pashto 普什图文
pt por Portuguese 葡萄牙文
qu que Quechua 克丘亚文
rm roh Romansh 罗曼什文
rn run Kirundi 隆迪文
ro ron,rum Romanian 罗马尼亚文
ru rus Russian 俄文
rw kin Kinyarwanda 卢旺达文
sa san Sanskrit 梵文
sc srd Sardinian 撒丁文
sd snd Sindhi 信德文
se sme Northern_Sami 北萨米文
sg sag Sango 桑戈文
si sin Sinhala 僧伽罗文
sk slk,slo Slovak 斯洛伐克文
sl slv Slovenian 斯洛文尼亚文
sm smo Samoan 萨摩亚文
sn sna Shona 绍纳文
so som Somali 索马里文
sq sqi,alb Albanian 阿尔巴尼亚文
sr srp Serbian 塞尔维亚文
ss ssw Swati 斯瓦蒂文
st sot Sotho 索托文
su sun Sundanese 巽他文
sv swe Swedish 瑞典文
sw swa Swahili 斯瓦希里文
ta tam Tamil 泰米尔文
te tel Telugu 泰卢固文
tg tgk Tajik 塔吉克文
th tha Thai 泰文
ti tir Tigrinya 提格利尼亚文
tk tuk Turkmen 土库曼文
tl tgl,fil Filipino 菲律宾文
tn tsn Tswana 茨瓦纳文
to ton Tongan 汤加文
tr tur Turkish 土耳其文
ts tso Tsonga 聪加文
tt tat Tatar 鞑靼文
tw twi Twi 契维文
ty tah Tahitian 塔希提文
ug uig Uyghur 维吾尔文
uk ukr Ukrainian 乌克兰文
ur urd Urdu 乌尔都文
uz uzb Uzbek 乌兹别克文
ve ven Venda 文达文
vi vie Vietnamese 越南文
vo vol Volapük 沃拉普克语
wa wln Walloon 瓦隆文
wo wol Wolof 沃洛夫文
xh xho Xhosa 科萨文
yi yid Yiddish 意第绪文
yo yor Yoruba 约鲁巴文
za zha Zhuang 壮文
zh zho,chi,cmn Chinese 中文
zu zul Zulu 祖鲁文
ast ast Asturian 阿斯图里亚斯文
ceb ceb Cebuano 宿务文
ckb ckb Central_Kurdish 中库尔德文
fon fon Fon 丰文
grc grc Ancient_Greek 古希腊文
gsw gsw Swiss_German 瑞士德文
hsb hsb Upper_Sorbian 上索布文
luo luo Luo 卢奥文
mos mos Mossi 莫西文
nds nds Low_German 低地德文
pcm pcm Nigerian_Pidgin 尼日利亚皮钦语
yue yue Cantonese 粤语
"""
"""All codes of ISO 639-1 and some of 639-3, the codes of ISO 639-2 and 639-3 that are read as them, and their names in
English (with `_` for a blank) and Chinese.
"""

COUNTRIES = {"cn": "zh", "cz": "cs", "dk": "da", "gb": "en", "gr": "el", "jp": "ja", "ua": "uk", "us": "en"}
"""Codes of countries that are no languages → the language that was probably meant."""


class Names(NamedTuple):
    """The names of a language."""

    en: str
    zh: str


NAMES: dict[str, Names] = {}
SHORT: dict[str, str] = {}
for line in TABLE.split("\n")[1:-1]:
    two, three, *names = line.split(" ")
    NAMES[two] = Names(*(name.replace("_", " ") for name in names))
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
    return primary if primary in NAMES else None


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
