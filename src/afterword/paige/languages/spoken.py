"""Which language a message is in, by its function words."""

# ruff: noqa: E501  # lists of words, one language below the other

import re

# A shorter message is no reason to change the language.
SUBSTANTIAL_WORDS = 4
# So many more function words than of any other language, and this share of all words, make it that language.
_LEAD = 2
_SHARE = 0.2
_UNKNOWN_SCRIPT_LETTERS = 8

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_LATIN = re.compile(r"[a-z\u00df-\u024f\u1e00-\u1eff]")

# The commonest small words of each language, as folded text has them. A word of two languages counts for both.
FUNCTION_WORDS: dict[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {
        "en": """the a an and or but of to in on at for with from by as is are was were be been it its this that these those we our
            us you your they their them he she his her i my me not no do did does don't didn't have has had would could should
            will can what which who when where how why because so if than then there about very just more all any some only
            after before into over out up it's we're wasn't weren't couldn't i'm""",
        "de": """der die das den dem des ein eine einen einem einer eines und oder aber nicht kein keine keinen ist sind war waren
            wird wurde wurden sein hat haben hatte hatten habe ich du er sie es wir ihr uns euch ihnen mir mich mit von zu zum zur
            im in am an auf aus bei für nach vor über unter um als auch wie so nur noch schon sehr mehr weil dass wenn dann was wer
            wo warum da doch mal man sich unser unsere unseren euer eure ihre ihren diese dieser dieses zwei bis durch gegen ohne
            dazu davon dabei damit einfach eigentlich denn lieber nichts etwas alles gar ganz wieder immer möchte
            können konnte konnten kann würde muss mussten fuer ueber koennen wuerde""",
        "fr": """le la les un une des du de et ou mais pas ne est sont était étaient être a ont avait avons nous vous ils elles il
            elle je on ce cette ces cet que qui quoi dont où dans sur avec pour par sans plus très trop aux au en se sa son ses
            leur leurs notre nos votre vos parce car si comme aussi tout tous était c'est n'est d'un d'une qu'il j'ai n'était
            l'équipe beaucoup donc""",
        "es": """el la los las un una unos unas de del y o pero no es son era eran fue fueron ser ha han había hemos nosotros ustedes
            ellos ellas él ella yo que qué quien cual cuando donde como en con para por sin más muy al se su sus nuestro nuestra
            nuestros lo le les porque si también todo todos esta este estos eso esto ya hasta desde""",
        "pt": """o a os as um uma uns umas de do da dos das e ou mas não é são era eram foi foram ser tem têm tinha temos nós vocês
            eles elas ele ela eu que quem qual quando onde como em no na nos nas com para por pelo pela sem mais muito ao se seu
            sua nosso nossa porque também tudo todos este esta isso já até""",
        "it": """il lo la i gli le un uno una di del della dei delle degli e o ma non è sono era erano essere ha hanno aveva abbiamo
            noi voi loro lui lei io che chi quale quando dove come in nel nella nei con per su sul sulla da dal dalla senza più
            molto al alla ai si suo sua nostro nostra perché anche tutto tutti questo questa questi ci ne però stato stata""",
        "nl": """de het een en of maar niet geen is zijn was waren wordt werd worden heeft hebben had hadden ik jij je hij zij ze wij
            we jullie ons onze mij met van te ten op in aan uit bij voor naar over onder om als ook hoe zo alleen nog al zeer meer
            omdat dat die deze dit wanneer dan wat wie waar waarom er maar toen door tegen zonder kunnen kon konden zou""",
    }.items()
}

# Spellings that only one of these languages has; a word that holds one counts as well.
_SPELLINGS = {
    code: re.compile(pattern)
    for code, pattern in {
        "de": r"[äöü]|(?:ung|keit|heit|schaft)$",
        "fr": r"[êœ]|eaux?$|^(?:c|l|d|qu|j|n|s)'|(?:euse|aient)$",
        "es": r"ñ|ción$|ciones$|(?:aba|aban|imos|amos)$",
        "pt": r"[ãõ]|ção$|ções$",
        "it": r"zion[ei]$|ità$|^(?:dell|all|nell|un|l)'",
        "nl": r"ij|lijk$|^ge\w+d$",
    }.items()
}


def spoken(folded: str) -> str:
    """The code of the language of a folded text; `und` for a script that none of these is written in; empty where it
    is too short or too mixed to tell."""
    letters = [c for c in folded if c.isalpha()]
    if len(letters) >= _UNKNOWN_SCRIPT_LETTERS and sum(bool(_LATIN.match(c)) for c in letters) < len(letters) / 2:
        return "und"
    words = _WORD.findall(folded[:2000])
    if len(words) < SUBSTANTIAL_WORDS:
        return ""
    counts = sorted(((_hits(words, code), code) for code in FUNCTION_WORDS), reverse=True)
    (most, code), (second, _) = counts[0], counts[1]
    return code if most - second >= _LEAD and most >= _SHARE * len(words) else ""


def _hits(words: list[str], code: str) -> int:
    small, spelling = FUNCTION_WORDS[code], _SPELLINGS.get(code)
    return sum(word in small or bool(spelling and spelling.search(word)) for word in words)
