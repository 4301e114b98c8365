"""The craft lint: what a question of ours must be. For our guides, for customers' guides, for what a model words."""

# ruff: noqa: E501  # a pattern broken over lines cannot be read

import re
from dataclasses import dataclass

from afterword.paige import judge
from afterword.paige.guide import Form, Guide, wordings

# Shorter questions get longer answers; an opening has to say who asks, why and for whom.
MAX_WORDS = 45

Pattern = re.Pattern[str]

QUOTED = re.compile(r"“[^”]*”|„[^“”]*[“”]|«[^»]*»")
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")


def _any(*patterns: str) -> Pattern:
    return re.compile("|".join(patterns), re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Craft:
    """The craft rules of one language, matched on folded text without the contact's quoted words."""

    link: Pattern  # what only ties a question to what was said before it
    double: Pattern
    asks: Pattern  # a sentence that begins like a question
    request: Pattern  # a sentence that asks without a question mark
    scene: Pattern  # a sentence that only sets the scene for the question after it
    either_or: Pattern
    closed: Pattern
    leading: Pattern
    praise: Pattern  # anywhere
    praising: Pattern  # in a sentence that asks nothing
    selling: Pattern
    jargon: Pattern
    ending: Pattern
    farewell: Pattern  # only where a model words: closing is not its to do


_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|would|will|should|shall|may|might)"
_INTERROGATIVE = r"(?:what|how|who|whom|when|where|why|which|did|was|were|do|does|is|are|would|could)"
_SECOND_HALF = r"(?:more|was|is|did|rather|just|a|an|the|because|due|that|whether|something)"
_ASKED_BEFORE = r"[^.!?:;]*?\b(?:what|how|who|whom|which|why|(?:when|where)(?=,))\b"
_ADJECTIVE = r"(?:great|awesome|wonderful|excellent|perfect|fantastic|amazing|brilliant|impressive|exciting|interesting|useful|helpful|insightful|valuable|fascinating|important|lovely|nice|good)"
_POINT = r"(?:points?|answers?|insights?|details?|examples?|stor(?:y|ies)|context|information|feedback|observations?|perspective|question)"

_EN = Craft(
    link=re.compile(
        r"(?:^|(?<=[.!?…] ))(?:(?:okay|ok|alright|all right|right|sure|thanks|thank you|understood|got it|noted|i see),? )?"
        rf"(?:and|but|so)(?: then)?,? (?={_INTERROGATIVE}\b)"
    ),
    double=_any(rf"\b(?:and|or) (?:also |then )?{_INTERROGATIVE}\b[^?]*\?"),
    asks=re.compile(
        rf"(?:what|how|who|whom|whose|where|why|which)(?: [\w']+){{0,3}} "
        rf"(?:{_AUXILIARY}|made|happened|led|came|went|stood|mattered|tipped|counted|changed|brought|set)\b"
    ),
    request=_any(
        r"^(?:(?:please|and|then|now|next|so|thanks?|thank you|if you (?:can|will|like)),? )*"
        r"(?:tell|walk|take|talk|give|describe|share|explain|show|help|lead|bring) (?:me|us)\b",
        r"^(?:(?:please|and|then|now|next|so|in your own words),? )*"
        r"(?:tell|describe|share|explain|think (?:back|of)|picture|imagine|pick|choose|name|recall|say (?:a (?:little|bit) |some )?more|put (?:it|that)|go back|take (?:one|any))\b",
        r"[:,;–—] (?:please )?(?:tell|walk|take|talk|give|describe|share|explain|show) (?:me|us)?\b",
        r"\bi(?:'d| would) (?:like|love) to (?:hear|know|understand|learn)\b",
        r"\bi(?:'m| am) curious (?:about|what|how|who|why|which|where|when)\b|\bi wonder (?:what|how|who|why|which|where|when)\b",
    ),
    scene=re.compile(
        r"(?:(?:please|and|then|now|next|so),? )*"
        r"(?:think|picture|imagine|go back|pick|take|recall|put yourself|i(?:'d| would) (?:like|love) to (?:hear|know|understand|learn)|i(?:'m| am) curious about)\b"
    ),
    either_or=_any(
        rf"\b(?:{_AUXILIARY}|which|what|how)\b[^?]*\bor {_SECOND_HALF}\b[^?]*\?",
        r"\bwhich (?:one |of (?:the two|these|those|them) )?(?:mattered|counted|weighed|was|is|came|won)\b[^?]*\bor\b[^?]*\?",
        r"\b(?:more about|mainly|mostly|primarily|down to)\b[^?]*\bor\b[^?]*\?",
    ),
    closed=_any(
        # After a comma only where the sentence has not begun to ask: "What, in your view, did they do better?" is open.
        rf"(?:^|[.!:;] |(?:^|[.!?:;] )(?!{_ASKED_BEFORE})[^.!?:;]*, )(?:and |so |then )?{_AUXILIARY} (?!what|how)[^?.!]*\?"
    ),
    leading=_any(
        r", (?:right|correct|no|yes|or not)\?",
        r"\b(?:isn't|wasn't|didn't|don't|doesn't|weren't|aren't|wouldn't|couldn't) (?:it|you|they|that|there)\b[^?]*\?",
        r"\bso (?:you|it|they) (?:felt|thought|were|was|had|found|decided|chose)\b",
        r"\b(?:obviously|surely|clearly|of course|naturally|undoubtedly)\b[^?]*\?",
        r"\bwhy (?:was|were|is|are) (?:it|the|our|your|their)\b",
        r"\bwould (?:\w+ )?(?:earlier|more|better|lower|less|faster|cheaper)\b[^?]*\bhave (?:changed|helped|made)\b",
        r"\b(?:would you agree|would you not|do you agree|can we agree)\b",
        r"\bhow (?:bad|terrible|awful|frustrating|great|much better|much worse|disappoint\w+|annoy\w+|happy|unhappy|satisfied)\b",
        r"\bi (?:assume|imagine|bet|guess|suppose|suspect|understand that|heard that|hear that|know that|see that|gather)\b",
        r"\b(?:it|that|this) (?:sounds|seems|looks|appears|feels) (?:like|as if|as though|that|to me)\b",
        r"\b(?:sounds|seems) (?:like|as if|as though) (?:you|it|the|they|your|price|cost)\b",
        r"\b(?:you must have|you probably|presumably|no doubt|as we (?:both )?know)\b",
        r"\bisn't it (?:true|fair)|\bis it fair to say\b|\bwould it be fair\b",
    ),
    praise=_any(
        r"\b(?:love (?:that|it|your|this|hearing)|(?<!would a )good (?:point|question|answer|job)|well (?:said|put|done))\b",
        r"\b(?:makes (?:total |perfect |a lot of )?sense|i (?:totally |completely |fully )?agree|you(?:'re| are) (?:absolutely |so |totally )?right)\b",
        r"\bappreciate (?:the|your|that|this|how)\b",
        r"\b(?:delighted|thrilled|so glad|glad to hear|happy to hear|sorry to hear|great to (?:hear|know))\b",
        rf"\b(?:that's|that is|this is|it's|it is|sounds|what an?|such an?) (?:\w+ )?{_ADJECTIVE}\b(?! (?:at|to (?:see|use|you)|enough|about))",
        rf"^(?:oh,? |wow,? |ah,? )?(?:really |very |so )?{_ADJECTIVE} ?[,!.;:–—]",
        rf"(?<!would a )(?<!would be a )\b{_ADJECTIVE} {_POINT}\b",
        r"^(?:wow|awesome|absolutely|exactly|totally|bravo|congratulations|kudos)\b",
    ),
    praising=_any(
        r"\b(?:great|awesome|wonderful|excellent|perfect|fantastic|amazing|brilliant|impressive|exciting|delighted)\b",
        r"\b(?:interesting|useful|helpful|insightful|valuable|glad to hear)\b",
    ),
    selling=_any(
        r"\b(?:special offer|book a (?:demo|call|meeting)|free trial|reconsider|give us another chance)\b",
        r"\b(?:offer(?:ed|ing)?|give|gave|giving|get|got|with|for) (?:you |them )?(?:a |an |any |some )?(?:\w+ )?discount\b",
        r"\bour (?:new |latest )?(?:product|platform|solution|roadmap|pricing|team) (?:is|now|can|does|has|offers|will)\b",
        r"\bwe(?:'ve| have) (?:since |now |already )?(?:fixed|improved|added|lowered|released|launched|changed)\b",
        r"\bwe (?:now |do |also |already )*(?:offer|support|provide|integrate)\b|\bwe now have\b",
        r"\b(?:sorry|apologi[sz]e) (?:that|for|about) (?:our|the)\b|\bin our defen[sc]e\b|\bactually,? (?:we|our)\b",
        r"\byou should (?:try|buy|switch|consider)\b",
    ),
    jargon=_any(
        r"\b(?:opportunity|closed[- ](?:lost|won)|champion|pipeline|prospects?|stakeholders?|pain points?|deal size)\b",
        r"\b(?:win[- ]?back|icp|decision[- ]makers?)\b",
    ),
    ending=_any(
        r"\binterview (?:is )?(?:now )?(?:complete|over|finished|ended)\b|\bend of (?:the )?interview\b",
        r"\[?\b(?:done|end|stop)\]?$",
    ),
    farewell=_any(
        r"\b(?:interview|conversation|chat|survey) (?:is )?(?:now )?(?:complete|completed|over|finished|ended|done|concluded)\b|\bend of (?:the |this |our )?(?:interview|conversation)\b",
        r"\b(?:this|that) concludes\b|\bthat(?:'s| is| was| will be) (?:all|everything|the last)\b|\bwe(?:'re| are) (?:all )?(?:done|finished|through)\b",
        r"\bthank(?:s| you) (?:so much |very much )?for (?:your (?:time|participation)|participating|taking part|completing)\b|\b(?:good ?bye|have a (?:good|great|nice|lovely) day)\b",
        r"\b(?:interview|conversation|session)[_ -]?(?:complete|end|done|over)\b|\bend[_ -]?of[_ -]?interview\b|\bcode[: ]+\w*\d\w*$",
        r"\[(?:done|end|stop|exit|quit)\b",
    ),
)  # fmt: skip

_DE_AUXILIARY = r"(?:ist|sind|war|waren|hat|haben|hatte|hatten|kann|konnte|könnte|können|konnten|könnten|würde|würden|wird|werden|soll|sollte|sollten|darf|dürfen|möchten|wollten|gab|gibt|lag|spielte|fanden|finden|mochten|gefiel|stimmt|wäre|wären|hätte|hätten)"
_DE_INTERROGATIVE = (
    r"(?:was|wie|wer|wen|wem|wann|wo|warum|wieso|weshalb|welche[rsnm]?|woran|womit|wofür|wodurch|worauf)"
)
_DE_ADJECTIVE = r"(?:toll|großartig|super|spannend|interessant|hervorragend|ausgezeichnet|perfekt|wunderbar|fantastisch|beeindruckend|hilfreich|wertvoll|aufschlussreich|schön|klasse|prima)e?[rsnm]?"

_DE = Craft(
    link=re.compile(
        r"(?:^|(?<=[.!?…] ))(?:(?:okay|ok|gut|danke|vielen dank|verstanden|alles klar|verstehe|notiert),? )?"
        rf"(?:und|aber)(?: dann)?,? (?={_DE_INTERROGATIVE}\b)"
    ),
    double=_any(rf"\b(?:und|oder) (?:auch |dann )?{_DE_INTERROGATIVE}\b[^?,]*\?"),
    asks=re.compile(rf"(?:(?:in|an|zu|für|auf|von|mit|bei|unter|aus|nach) )?{_DE_INTERROGATIVE}(?: \w+){{0,3}} {_DE_AUXILIARY}\b"),
    request=_any(
        r"^(?:(?:bitte|und|dann|nun|jetzt|danke),? )*(?:erzählen|beschreiben|schildern|nennen|nehmen|denken|führen|erklären|sagen|wählen|gehen|versetzen|stellen|berichten|zeigen|holen|greifen|ordnen) sie\b",
        r"[:,;–—] (?:bitte )?(?:erzählen|beschreiben|schildern|nennen|erklären|sagen) sie\b",
        r"\bmich würde interessieren\b|\bmich interessiert\b|\bich (?:würde|möchte) gern\w* [^.?!]*\b(?:erfahren|hören|wissen|verstehen)\b",
    ),
    scene=re.compile(
        r"(?:(?:bitte|und|dann|nun|jetzt),? )*(?:(?:denken|stellen|versetzen|gehen|nehmen|wählen) sie|ich (?:würde|möchte) gern|mich interessiert)\b"
    ),
    either_or=_any(rf"\b(?:{_DE_AUXILIARY}|welche[rsnm]?|was|wie)\b[^?]*\boder (?:mehr|eher|doch|der|die|das|ein|eine|weil|war|ist)\b[^?]*\?"),
    closed=_any(rf"(?:^|[.!:;] )(?:und |also |dann )?{_DE_AUXILIARY} (?:es|sie|das|die|der|dies\w*|ihr\w*|ihnen|man|wir|dort|da|dabei|ein\w*)\b[^?.!]*\?"),
    leading=_any(
        r", (?:richtig|oder|nicht wahr|stimmt's|ja|nein|korrekt|oder nicht)\?",
        r"\b(?:offensichtlich|sicherlich|natürlich|selbstverständlich|zweifellos|bestimmt)\b[^?]*\?",
        r"\bwarum (?:war|waren|ist|sind) (?:es|der|die|das|unser\w*|ihr\w*)\b",
        r"\balso (?:fanden|dachten|hatten|waren) sie\b|\bsie (?:fanden|dachten) also\b",
        r"\bwie (?:schlecht|schlimm|furchtbar|frustrierend|toll|großartig|enttäusch\w+)\b",
        r"\bich (?:nehme an|vermute|gehe davon aus|kann mir vorstellen|verstehe, dass|habe gehört)\b",
        r"\bdas klingt (?:so|als|danach|nach)\b|\bes scheint\b|\bstimmen sie zu\b|\bwürden sie zustimmen\b",
    ),
    praise=_any(
        rf"\b(?:das|es|dies) (?:ist|klingt) (?:\w+ )?{_DE_ADJECTIVE}\b",
        rf"^(?:oh,? |wow,? |ah,? )?(?:sehr |wirklich )?{_DE_ADJECTIVE} ?[,!.;:–—]",
        rf"\b{_DE_ADJECTIVE} (?:antwort|punkt|hinweis|einblick|frage|beispiel|beobachtung)\b",
        r"\b(?:gute[rs]? (?:punkt|frage|antwort|hinweis)|gut gesagt|sie haben (?:völlig |ganz )?recht|da haben sie recht|ich stimme (?:ihnen )?zu|das ergibt sinn|freut mich|tut mir leid)\b",
    ),
    praising=_any(rf"\b{_DE_ADJECTIVE}\b"),
    selling=_any(
        r"\b(?:sonderangebot|rabatt (?:anbieten|geben|bekommen)|kostenlos(?:e[rsnm]?)? (?:test|probe)\w*|demo (?:buchen|vereinbaren))\b",
        r"\b(?:unser|unsere) (?:neue[rs]? )?(?:produkt|plattform|lösung|team|preise?) (?:ist|sind|kann|hat|bietet|wird)\b",
        r"\bwir haben (?:das |es )?(?:inzwischen|mittlerweile|bereits|schon)\b|\bwir bieten\b|\bwir unterstützen\b",
        r"\bsie sollten (?:es |uns )?(?:probieren|kaufen|wechseln|versuchen)\b",
    ),
    jargon=_any(r"\b(?:opportunity|closed[- ](?:lost|won)|champion|pipeline|stakeholder|pain points?|leads?|schmerzpunkte?)\b"),
    ending=_any(
        r"\b(?:interview|gespräch|befragung) (?:ist )?(?:nun |jetzt |damit )?(?:beendet|vorbei|abgeschlossen|zu ende)\b|\bende des (?:interviews|gesprächs)\b",
        r"\[?\b(?:done|end|stop)\]?$",
    ),
    farewell=_any(
        r"\bdas (?:war|wäre) (?:alles|es)\b|\bwir sind (?:fertig|am ende)\b|\bvielen dank für ihre (?:zeit|teilnahme)\b|\bauf wiedersehen\b",
        r"\[(?:done|end|stop|exit|quit)\b",
    ),
)  # fmt: skip

# Another language is another entry here; one without an entry is held only to the rules that need no word list.
CRAFT = {"en": _EN, "de": _DE}

_MARKUP = _any(
    r"<[^>]*>|\*\*|__|`|\[[^\]]*\]\(|https?://|www\.",
    r"^\s*(?:[-*•#]|\d+\.)\s",
    r"(?i:^\s*(?:interviewer|paige|assistant|ai|system) ?:)",
)

MESSAGES = {
    "empty": "is empty",
    "one question": "asks more than one question",
    "no question": "holds a question mark, but is said besides a question",
    "either/or": "offers a choice; ask openly, or make it a choice slot",
    "leading": "suggests an answer",
    "closed": "can be answered with yes or no",
    "praise": "praises or agrees",
    "selling": "sells, promises or defends",
    "jargon": "uses a word of the sales trade that a buyer would not use",
    "markup": "holds markup, a list, a link or a speaker's label",
    "ending": "announces the end, which is not decided by wording",
    "length": f"has more than {MAX_WORDS} words",
}


def craft(language: str) -> Craft | None:
    """The rules of a language or of its base language; None where there are none yet."""
    return CRAFT.get(language) or CRAFT.get(language.partition("-")[0])


def lint(text: str, form: Form = "question", language: str = "en") -> tuple[str, ...]:
    """The craft rules a text breaks, by name; empty when it breaks none. Words in “…” are the contact's and free."""
    raw = QUOTED.sub("", text)
    own = judge.fold(raw)
    if not judge.words(own):
        return ("empty",)
    rules = craft(language)
    broken: list[str] = []
    if own.count("?") > 1 or (form != "scale" and asks_two(own, language)):
        broken.append("one question")
    if form in ("statement", "opening") and "?" in own:
        broken.append("no question")
    if rules:
        if form == "question":
            broken += [name for name in ("either/or", "closed") if _breaks(rules, name, own)]
        broken += [name for name in ("leading", "praise", "selling", "jargon", "ending") if _breaks(rules, name, own)]
    if _MARKUP.search(raw):
        broken.append("markup")
    if form != "opening" and len(text.split()) > MAX_WORDS:
        broken.append("length")
    return tuple(broken)


def breaks(name: str, own: str, language: str) -> bool:
    """Whether a folded text without quotes breaks one rule; false for a language that has no list yet."""
    rules = craft(language)
    return rules is not None and _breaks(rules, name, own)


def asks_two(own: str, language: str) -> bool:
    """Whether a sentence of a folded text asks two things; an "and" that only ties it to what was said is none."""
    rules = craft(language)
    return rules is not None and bool(rules.double.search(rules.link.sub("", own)))


def sentences(own: str) -> list[str]:
    """The sentences of a folded text, each with its end mark."""
    return [found.strip() for found in _SENTENCE.findall(own) if judge.words(found)]


def craft_warnings(guide: Guide) -> tuple[tuple[str, str], ...]:
    """(place, what is wrong) for every wording of a guide that breaks a craft rule, in the languages with a list."""
    return tuple(
        (where, MESSAGES[rule])
        for where, form, text in wordings(guide)
        if craft(language := where.split(".")[1])
        for rule in lint(text, form, language)
    )


def _breaks(rules: Craft, name: str, own: str) -> bool:
    match name:
        case "either/or":
            return bool(rules.either_or.search(own))
        case "praise":
            return _praises(rules, own)
        case _:
            return bool(getattr(rules, name).search(own))


def _praises(rules: Craft, own: str) -> bool:
    for sentence in sentences(own):
        asks = sentence.endswith("?") or rules.request.search(sentence) or rules.asks.match(sentence)
        if rules.praise.search(sentence) or (not asks and rules.praising.search(sentence)):
            return True
    return False
