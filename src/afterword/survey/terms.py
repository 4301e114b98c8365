"""What the contact is told before the first question, and so agrees to: the text that is stored with the consent."""

import hashlib
from collections.abc import Sequence

from afterword.interviews.conversation import LINK_DAYS, Visit
from afterword.survey.words import Words

SHORT_MINUTES = 3
_USUAL_READERS = "'s product and sales teams"
_SHORTENED_FROM = 5  # topics, and minutes; a guide with less is short as it is


def offers_short(visit: Visit) -> bool:
    """Whether the guide holds enough for a short version that leaves something out."""
    topics = visit.guide.topics
    enough = min(len(topics), visit.guide.minutes) >= _SHORTENED_FROM
    return enough and any(topic.priority > 1 or not topic.must_have for topic in topics)


def reader(visit: Visit, words: Words) -> str:
    """Who will read the answers; the teams that read them unless somebody else is named, in the page's language."""
    return words("reader") if visit.reader.endswith(_USUAL_READERS) else visit.reader


def terms(visit: Visit, words: Words) -> Sequence[tuple[str, str]]:
    """The points, each a term and its text."""
    about = "colleague" if visit.guide.internal else "buyer" if visit.guide.consent == "buyer" else "other"
    readers = reader(visit, words)
    long = "how_long_both_text" if offers_short(visit) else "how_long_text"
    stored = "storage_model_text" if visit.uses_model else "storage_text"
    told = [
        (words("who_asks"), words("who_asks_text")),
        (words("what_about"), words(f"what_about_{about}")),
        (words("no_sale"), words("no_sale_text")),
        (words("how_long"), words(long, minutes=visit.guide.minutes, short_minutes=SHORT_MINUTES)),
        (words("who_reads"), words("who_reads_text", reader=f"{readers[:1].upper()}{readers[1:]}")),
        (words("storage"), words(stored, days=LINK_DAYS)),
    ]
    if visit.uses_model:
        told.insert(-1, (words("model"), words("model_text")))
    if visit.consent_text.strip():
        told.append((words("from_vendor"), visit.consent_text.strip()))
    return told


def terms_text(visit: Visit, words: Words) -> str:
    """The same as plain text, to be recorded with the consent."""
    return "\n".join(f"{term}: {text}" for term, text in terms(visit, words))


def terms_version(visit: Visit, words: Words) -> str:
    """Twelve hex digits that change with the text."""
    return hashlib.sha256(terms_text(visit, words).encode()).hexdigest()[:12]
