"""The craft lint: what a question of ours must be. For guides today, for anything a model words as well."""

import re

from afterword.paige import judge
from afterword.paige.guide import Form, Guide, wordings

# Shorter questions get longer answers; an opening has to say who asks, why and for whom.
MAX_WORDS = 45

_QUOTED = re.compile(r"“[^”]*”")
_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|would|will|should|shall|may|might)"
_INTERROGATIVE = r"(?:what|how|who|whom|when|where|why|which|did|was|were|do|does|is|are|would|could)"
_SECOND_HALF = r"(?:more|was|is|did|rather|just|a|an|the|because|due|that|whether|something)"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.MULTILINE)


_DOUBLE = _any(rf"\b(?:and|or) (?:also |then )?{_INTERROGATIVE}\b[^?]*\?")
_EITHER_OR = _any(rf"\b(?:{_AUXILIARY}|which|what|how)\b[^?]*\bor {_SECOND_HALF}\b[^?]*\?")
_CLOSED = _any(rf"(?:^|[.!:,;] )(?:and |so |then )?{_AUXILIARY} (?!what|how)[^?.!]*\?")
_LEADING = _any(
    r", (?:right|correct|no|yes|or not)\?",
    r"\b(?:isn't|wasn't|didn't|don't|doesn't|weren't|aren't|wouldn't|couldn't) (?:it|you|they|that|there)\b[^?]*\?",
    r"\bso (?:you|it|they) (?:felt|thought|were|was|had|found|decided|chose)\b",
    r"\b(?:obviously|surely|clearly|of course|naturally|undoubtedly)\b[^?]*\?",
    r"\bwhy (?:was|were|is|are) (?:it|the|our|your|their)\b",
    r"\bwould (?:\w+ )?(?:earlier|more|better|lower|less|faster|cheaper)\b[^?]*\bhave (?:changed|helped|made)\b",
    r"\b(?:would you agree|would you not|do you agree|can we agree)\b",
    r"\bhow (?:bad|terrible|awful|frustrating|great|much better|much worse)\b",
    r"\bi (?:assume|imagine|bet|guess|understand that|heard that)\b",
)
_PRAISE = _any(
    r"\b(?:great|awesome|wonderful|excellent|perfect|fantastic|amazing|brilliant|impressive|exciting|delighted)\b",
    r"\b(?:interesting|useful|helpful|insightful|valuable|glad to hear)\b",
    r"\b(?:love (?:that|it|your)|good (?:point|question|answer|job)|well (?:said|put|done))\b",
    r"\b(?:makes (?:total |perfect |a lot of )?sense|i (?:totally |completely |fully )?agree|you(?:'re| are) right)\b",
    r"\bappreciate (?:the|your) (?:honest|candid|insight|detail)\w*",
)
_SELLING = _any(
    r"\b(?:discount|special offer|book a (?:demo|call|meeting)|free trial|reconsider|give us another chance)\b",
    r"\bour (?:new |latest )?(?:product|platform|solution|roadmap|pricing|team) (?:is|now|can|does|has|offers|will)\b",
    r"\bwe(?:'ve| have) (?:since |now |already )?(?:fixed|improved|added|lowered|released|launched)\b",
    r"\bwe now (?:offer|have|support)\b",
    r"\b(?:sorry|apologi[sz]e) (?:that|for|about) (?:our|the)\b|\bin our defen[sc]e\b|\bactually,? (?:we|our)\b",
    r"\byou should (?:try|buy|switch)\b",
)
_CRM = _any(
    r"\b(?:opportunity|closed[- ](?:lost|won)|champion|pipeline|prospects?|stakeholders?|pain points?|deal size)\b",
    r"\b(?:win[- ]?back|icp|decision[- ]makers?)\b",
)
_MARKUP = _any(
    r"<[^>]*>|\*\*|__|`|\[[^\]]*\]\(|https?://|www\.",
    r"^\s*(?:[-*•#]|\d+\.)\s",
    r"(?i:^\s*(?:interviewer|paige|assistant|ai|system) ?:)",
)
_ENDING = _any(
    r"\binterview (?:is )?(?:now )?(?:complete|over|finished|ended)\b|\bend of (?:the )?interview\b",
    r"\[?\b(?:done|end|stop)\]$",
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


def lint(text: str, form: Form = "question") -> tuple[str, ...]:
    """The craft rules a text breaks, by name; empty when it breaks none. Words in “…” are the contact's and free."""
    own = judge.fold(_QUOTED.sub("", text)) if text else ""
    raw = _QUOTED.sub("", text)
    if not judge.words(own):
        return ("empty",)
    broken: list[str] = []
    if own.count("?") > 1 or (form != "scale" and _DOUBLE.search(own)):
        broken.append("one question")
    if form in ("statement", "opening") and "?" in own:
        broken.append("no question")
    if form == "question":
        broken += [name for name, rule in (("either/or", _EITHER_OR), ("closed", _CLOSED)) if rule.search(own)]
    rules = (("leading", _LEADING), ("praise", _PRAISE), ("selling", _SELLING), ("jargon", _CRM), ("ending", _ENDING))
    broken += [name for name, rule in rules if rule.search(own)]
    if _MARKUP.search(raw):
        broken.append("markup")
    if form != "opening" and len(text.split()) > MAX_WORDS:
        broken.append("length")
    return tuple(broken)


def craft_warnings(guide: Guide) -> tuple[tuple[str, str], ...]:
    """(place, what is wrong) for every wording of a guide that breaks a craft rule. Only English is checked so far."""
    return tuple(
        (where, MESSAGES[rule])
        for where, form, text in wordings(guide)
        if where.startswith("languages.en")
        for rule in lint(text, form)
    )
