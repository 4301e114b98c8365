"""What a mail says: bytes that any mail program reads the same way, whatever people are called."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afterword.errors import BadRequest
from afterword.outreach.compose import VARIABLES, Letter, check_template, compose
from afterword.outreach.shipped import BUYER_MAILS

LINK = "https://interviews.example.com/survey?token=tok_" + "a" * 43
UNSUBSCRIBE = "https://interviews.example.com/unsubscribe?token=un_" + "b" * 43
ALL = (
    "Hi {first_name} {name} {company} {deal_name} {survey_length} {booking_link} {sender_name} {incentive}\n\n{link}\n"
)
HEADERS = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Id",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
]


def letter(**changes: object) -> Letter:
    given_: dict[str, object] = {
        "key": "enr_1.1.msg_1",
        "sender_name": "Dana Reed",
        "sender_address": "dana@acme.example",
        "reply_to": "interviews@acme.example",
        "recipient": "jane@initech.example",
        "recipient_name": "Jane Smith",
        "subject": "How did {company} decide?",
        "body": ALL,
        "values": {"name": "Jane Smith", "first_name": "Jane", "company": "Initech"},
        "vendor": "Acme",
        "postal_address": "Acme Inc.\n1 Main Street",
        "link": LINK,
        "unsubscribe_link": UNSUBSCRIBE,
        "list_id": "seq_1",
        "at": datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC),
    }
    return Letter(**{**given_, **changes})  # pyright: ignore[reportArgumentType]  (names and types are those above)


def parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.SMTP)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content()


class Shown(HTMLParser):
    """The words and the links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_first_mail_has_all_its_headers_once() -> None:
    mail = compose(letter())
    message = parsed(mail.raw)

    assert message.keys() == HEADERS
    assert message["From"] == "Dana Reed <dana@acme.example>"
    assert message["To"] == "Jane Smith <jane@initech.example>"
    assert message["Subject"] == mail.subject == "How did Initech decide?"
    assert message["Date"].datetime == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert message["Message-ID"] == mail.message_id == "<enr_1.1.msg_1@acme.example>"
    assert message["List-Unsubscribe"] == f"<{UNSUBSCRIBE}>, <mailto:interviews@acme.example?subject=unsubscribe>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<seq_1.acme.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    assert [one.get_content_type() for one in message.iter_parts()] == ["text/plain", "text/html"]


def test_long_ids_and_links_are_never_broken_over_lines() -> None:
    mail = compose(letter(references=["<" + "x" * 120 + "@acme.example>", "<" + "y" * 120 + "@acme.example>"]))

    assert f"List-Unsubscribe: <{UNSUBSCRIBE}>, <mailto:".encode() in mail.raw
    assert b"In-Reply-To: <" + b"y" * 120 + b"@acme.example>\r\n" in mail.raw
    assert b"References: <" + b"x" * 120 + b"@acme.example> <" + b"y" * 120 + b"@acme.example>\r\n" in mail.raw


def test_a_plain_mail_can_be_read_raw() -> None:
    raw = compose(letter()).raw

    assert LINK.encode() in raw
    assert UNSUBSCRIBE.encode() in raw
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_what_is_not_known_leaves_no_hole() -> None:
    message = parsed(compose(letter(values={}, sender_name="", recipient_name=None)).raw)

    text = part(message, "plain")
    assert text.startswith("Hi there there your company your recent evaluation 10 minutes (just reply with a time")
    assert "the research team our thanks" in text
    assert "{" not in text
    assert message["From"] == "Acme <dana@acme.example>"
    assert message["To"] == "jane@initech.example"
    assert all(default or name in {"link", "unsubscribe_link"} for name, default in VARIABLES.items())


def test_both_parts_carry_the_link_the_address_and_the_way_out() -> None:
    message = parsed(compose(letter()).raw)

    text, page = part(message, "plain"), Shown(part(message, "html"))
    assert LINK in text
    assert UNSUBSCRIBE in text
    assert "Acme Inc.\r\n1 Main Street" in text
    assert page.links == [LINK, UNSUBSCRIBE]
    assert "1 Main Street" in "".join(page.words)
    assert not page.tags & {"img", "script", "table", "form", "input", "iframe", "link"}


def test_a_link_in_the_middle_of_a_sentence_is_a_link_too() -> None:
    page = Shown(part(parsed(compose(letter(body="Open {link}, or not. {unsubscribe_link}")).raw), "html"))

    assert page.links == [LINK, UNSUBSCRIBE, UNSUBSCRIBE]


def test_values_are_text_and_not_markup_nor_templates() -> None:
    values = {"first_name": "{link}", "company": "<b>Initech</b> & <script>alert(1)</script>"}
    message = parsed(compose(letter(values=values, body="Hi {first_name} of {company}, <i>hello</i>")).raw)

    assert part(message, "plain").startswith("Hi {link} of <b>Initech</b> & <script>alert(1)</script>, <i>hello</i>")
    page = Shown(part(message, "html"))
    assert page.links == [UNSUBSCRIBE]
    assert not page.tags & {"b", "i", "script"}


def test_a_later_mail_replies_in_the_thread() -> None:
    first = compose(letter())
    later = compose(
        letter(
            key="enr_1.3.msg_3",
            thread_subject=first.subject,
            references=[first.message_id, "<enr_1.2.msg_2@acme.example>"],
        )
    )
    message = parsed(later.raw)

    assert message["Subject"] == first.subject
    assert message["In-Reply-To"] == "<enr_1.2.msg_2@acme.example>"
    assert message["References"] == f"{first.message_id} <enr_1.2.msg_2@acme.example>"


def test_a_recipient_outside_of_ascii_needs_smtputf8() -> None:
    mail = compose(letter(recipient="jörg@initech.example"))

    assert mail.utf8
    assert "To: Jane Smith <jörg@initech.example>\r\n".encode() in mail.raw
    assert not compose(letter(recipient_name="Jörg", values={"name": "Jörg"})).utf8


INJECTIONS = [
    "Jane\r\nBcc: victim@example.com",
    "Jane\nBcc: victim@example.com",
    "Jane\r\n\r\n<html>",
    "Jane%0d%0aBcc: victim@example.com",
    "Jane\u2028Bcc: victim@example.com",
    "Jane\x85Bcc: victim@example.com",
    "Jane\x00\x0b\x0cBcc: victim@example.com",
    '"Jane" <victim@example.com>, Smith',
    "=?utf-8?q?Jane=0D=0ABcc:_victim@example.com?=",
    "Jane\udcff",
    "\u202eenaJ",
]


@pytest.mark.parametrize("evil", INJECTIONS)
def test_nothing_from_a_user_starts_a_header_line(evil: str) -> None:
    values = dict.fromkeys(VARIABLES, evil)
    mail = compose(letter(recipient_name=evil, sender_name=evil, values=values, subject="{name} {company}"))
    message = parsed(mail.raw)

    assert message.keys() == HEADERS
    assert [address.addr_spec for address in message["To"].addresses] == ["jane@initech.example"]
    assert [address.addr_spec for address in message["From"].addresses] == ["dana@acme.example"]
    assert "\n" not in mail.subject


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=250), st.text(max_size=250), st.text(max_size=400))
def test_any_name_and_any_value_survive_the_way_through_a_parser(name: str, company: str, body: str) -> None:
    body = re.sub(r"[{}\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "", body)
    mail = compose(
        letter(
            recipient_name=name,
            values={"name": name, "company": company},
            body="Hi " + body + "\n.\n..\nFrom {company}",
        )
    )
    message = parsed(mail.raw)

    assert message.keys() == HEADERS
    assert [address.addr_spec for address in message["To"].addresses] == ["jane@initech.example"]
    assert "\n.\n..\nFrom " in part(message, "plain").replace("\r\n", "\n")
    assert all(len(line) <= 998 for line in mail.raw.split(b"\r\n"))
    assert mail.raw.isascii()


@pytest.mark.parametrize("text", ["{firstname}", "{{first_name}}", "{ link }", "{}", "{link} {unknown}", "{0}"])
def test_unknown_variables_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^steps\[1\]\.body has "):
        check_template(text, "steps[1].body")


def test_braces_that_are_no_variable_are_text() -> None:
    check_template("a { b c\n} :-} {first_name}", "subject")


@pytest.mark.parametrize("text", BUYER_MAILS, ids=["first", "second", "third"])
def test_the_shipped_mails_are_short_and_say_what_they_must(text: object) -> None:
    body = getattr(text, "body", "")
    check_template(body, "body")

    assert len(body.split()) <= 90
    assert "{link}" in body
    assert "AI interviewer" in body
    assert "{survey_length}" in body
    assert re.search(r"\brepl(y|ies)\b", body)
    assert re.search(r"rather not|no such e-mails", body)
    assert body.isascii()
