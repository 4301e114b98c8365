"""What a mail says: a step's template and the values of one person become the final bytes.

Values are put in once and are never read as templates. In the HTML part everything is escaped. Headers are made of
values without line breaks, by the standard library's serializer, so that nothing from a user can start a header line.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from urllib.parse import quote

from afterword.contacts import strip_invisible
from afterword.errors import BadRequest

# Every variable, and what stands in its place where nothing is known: a mail never has a hole.
VARIABLES: Mapping[str, str] = {
    "name": "there",
    "first_name": "there",
    "company": "your company",
    "deal_name": "your recent evaluation",
    "survey_length": "10 minutes",
    "link": "",  # always known
    "booking_link": "(just reply with a time that suits you)",
    "sender_name": "the research team",
    "incentive": "our thanks",
    "unsubscribe_link": "",  # always known
}

_VARIABLE = re.compile(r"\{([^{}\n]*)\}")
_LINKS = frozenset({"link", "booking_link", "unsubscribe_link"})
_BUTTON = "Start the interview"
_MAX_VALUE = 200  # characters of a value such as a deal's name


@dataclass(frozen=True, slots=True)
class Letter:
    """All that one mail is made of. `subject` and `body` are templates unless `thread_subject` is given."""

    key: str  # unique and stable: the middle of the Message-ID
    sender_name: str
    sender_address: str
    reply_to: str | None
    recipient: str
    recipient_name: str | None
    subject: str
    body: str
    values: Mapping[str, str | None]
    vendor: str
    postal_address: str
    link: str
    unsubscribe_link: str
    list_id: str
    at: datetime
    thread_subject: str | None = None
    references: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished mail. `utf8`: it needs a server with SMTPUTF8."""

    message_id: str
    subject: str
    raw: bytes
    utf8: bool


def check_template(text: str, field: str) -> None:
    """Refuse variables that there are none of. Raises BadRequest that lists the right ones."""
    if "{{" in text or "}}" in text:
        raise BadRequest.field(field, "has doubled braces; write a variable as {first_name}")
    for found in _VARIABLE.finditer(text):
        if found[1] not in VARIABLES:
            known = ", ".join(f"{{{name}}}" for name in VARIABLES)
            raise BadRequest.field(field, f"has the unknown variable {found[0][:60]}; there are {known}")


def compose(letter: Letter) -> Mail:
    """The final bytes. The same letter is the same mail, but for the boundary between its two parts."""
    values = {name: _one_line(letter.values.get(name)) or default for name, default in VARIABLES.items()}
    values |= {"link": letter.link, "unsubscribe_link": letter.unsubscribe_link}
    subject = letter.thread_subject or _one_line(_fill(letter.subject, values), limit=250)
    domain = letter.sender_address.rpartition("@")[2]
    message_id = f"<{letter.key}@{domain}>"
    utf8 = not letter.recipient.isascii() or not letter.sender_address.isascii()

    message = EmailMessage(policy=_POLICY.clone(utf8=True) if utf8 else _POLICY)
    message["From"] = _address(letter.sender_name or letter.vendor, letter.sender_address)
    message["To"] = _address(letter.recipient_name or "", letter.recipient)
    if letter.reply_to:
        message["Reply-To"] = _address("", letter.reply_to)
    message["Subject"] = subject
    message["Date"] = format_datetime(letter.at.astimezone(UTC).replace(microsecond=0))
    message["Message-ID"] = message_id
    if letter.references:
        message["In-Reply-To"] = letter.references[-1]
        message["References"] = " ".join(dict.fromkeys((letter.references[0], letter.references[-1])))
    mailbox = quote(letter.reply_to or letter.sender_address, safe="@+._-")
    message["List-Unsubscribe"] = f"<{letter.unsubscribe_link}>, <mailto:{mailbox}?subject=unsubscribe>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["List-Id"] = f"<{letter.list_id}.{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text := _text(letter, values), cte=_encoding(text))
    message.add_alternative(page := _html(letter, values, subject), subtype="html", cte=_encoding(page))
    return Mail(message_id, subject, message.as_bytes(), utf8)


class _Policy(EmailPolicy):
    """RFC 5322 with CRLF. Headers made by us stay on one line: folding would break long ids and URLs apart."""

    _ours = frozenset(
        {"message-id", "in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post", "list-id", "date"}
    )

    def fold(self, name: str, value: str) -> str:
        if name.lower() in self._ours:
            return f"{name}: {value}{self.linesep}"
        return super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in self._ours:
            return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n")


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(_one_line(name, limit=100), local, domain)


def _one_line(value: str | None, limit: int = _MAX_VALUE) -> str:
    """Without line breaks, control and invisible characters; runs of blanks are one. Fit for a header.

    `=?` is taken apart: a header in plain ASCII that holds an encoded word would be decoded where it is read.
    """
    if not value:
        return ""
    value = strip_invisible(value)
    cleaned = "".join(" " if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp", "Zs"} else c for c in value)
    return " ".join(cleaned.replace("=?", "= ?").split())[:limit].rstrip()


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), template)


def _encoding(text: str) -> str:
    """Plain where it can be, so that a person can read the raw mail too."""
    plain = text.isascii() and all(len(line) < 990 for line in text.splitlines())  # octets, RFC 5322 §2.1.1
    return "7bit" if plain else "quoted-printable"


def _text(letter: Letter, values: Mapping[str, str]) -> str:
    sender = ", ".join(dict.fromkeys(part for part in (_one_line(letter.sender_name), letter.vendor) if part))
    footer = [
        "-- ",
        sender,
        *letter.postal_address.splitlines(),
        "",
        f"No more e-mails like this from {letter.vendor}:",
        letter.unsubscribe_link,
    ]
    return f"{_fill(letter.body, values).strip()}\n\n" + "\n".join(footer) + "\n"


_FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_SMALL = "margin:0 0 4px;font-size:13px;line-height:1.5;opacity:.75"


def _html(letter: Letter, values: Mapping[str, str], subject: str) -> str:
    """One column, styles inline, no colours but the button's: it is readable on light and on dark alike."""
    paragraphs = "\n".join(_paragraph(block, values) for block in re.split(r"\n\s*\n", letter.body.strip()))
    sender = ", ".join(dict.fromkeys(part for part in (_one_line(letter.sender_name), letter.vendor) if part))
    postal = "<br>".join(html.escape(line) for line in (sender, *letter.postal_address.splitlines()))
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{html.escape(subject)}</title>
</head>
<body style="margin:0;padding:16px;{_FONT}">
<div style="max-width:560px;font-size:16px;line-height:1.55">
{paragraphs}
<div style="margin:28px 0 0;padding:16px 0 0;border-top:1px solid rgba(128,128,128,.4)">
<p style="{_SMALL}">{postal}</p>
<p style="{_SMALL}"><a href="{html.escape(letter.unsubscribe_link)}" style="color:inherit">\
No more e-mails like this from {html.escape(letter.vendor)}</a></p>
</div>
</div>
</body>
</html>
"""


def _paragraph(block: str, values: Mapping[str, str]) -> str:
    if block.strip() == "{link}":
        return (
            f'<p style="margin:24px 0"><a href="{html.escape(values["link"])}" style="display:inline-block;'
            "padding:12px 22px;border-radius:8px;background-color:#1b5e55;color:#ffffff;font-weight:600;"
            f'text-decoration:none">{_BUTTON}</a></p>'
        )
    lines = "<br>\n".join("".join(_pieces(line, values)) for line in block.strip().splitlines())
    return f'<p style="margin:0 0 16px">{lines}</p>'


def _pieces(line: str, values: Mapping[str, str]) -> Iterator[str]:
    end = 0
    for found in _VARIABLE.finditer(line):
        yield html.escape(line[end : found.start()])
        end = found.end()
        value = html.escape(values.get(found[1], found[0]))
        is_link = found[1] in _LINKS and value.startswith(("https://", "http://"))
        yield f'<a href="{value}">{value}</a>' if is_link else value
    yield html.escape(line[end:])
