"""What an organization says of itself and to its contacts, and how its interviews are held."""

import functools
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import email_validator

from afterword.accounts import model
from afterword.accounts.model import OwnModel
from afterword.db import Tx, execute, fetch_one
from afterword.errors import BadRequest, NotFound

ContextMode = Literal["direct", "planned"]

_MAX_TEXT = 4000  # characters
_MAX_INTERVIEWER = 60  # characters


@dataclass(frozen=True, slots=True)
class Profile:
    """An organization's settings. `model` is its own, None where the server's holds."""

    id: str
    name: str
    plan: str
    interviewer_name: str
    context_mode: ContextMode
    consent_text: str
    support_text: str
    alert_email: str | None
    model: OwnModel | None


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    name: str
    plan: str
    interviewer_name: str
    context_mode: ContextMode
    consent_text: str
    support_text: str
    alert_email: str | None


async def profile(tx: Tx, org_id: str) -> Profile:
    """The organization's settings. Raises NotFound."""
    row = await fetch_one(
        tx,
        _Row,
        """
        select id, name, plan, interviewer_name, context_mode, consent_text, support_text, alert_email
        from organizations where id = %(org_id)s
        """,
        org_id=org_id,
    )
    if row is None:
        raise NotFound(f"organization {org_id} not found")
    return Profile(
        id=row.id,
        name=row.name,
        plan=row.plan,
        interviewer_name=row.interviewer_name,
        context_mode=row.context_mode,
        consent_text=row.consent_text,
        support_text=row.support_text,
        alert_email=row.alert_email,
        model=await model.own_model(tx, org_id),
    )


async def change_profile(tx: Tx, org_id: str, given: Mapping[str, Any]) -> Profile:
    """Set what is given, keep the rest; `model` None removes the organization's own. Raises BadRequest."""
    checked = {name: _CHECKS[name](given[name]) for name in _CHECKS if name in given}
    await execute(
        tx,
        """
        update organizations
        set name = coalesce(%(name)s, name),
            interviewer_name = coalesce(%(interviewer_name)s, interviewer_name),
            context_mode = coalesce(%(context_mode)s, context_mode),
            consent_text = coalesce(%(consent_text)s, consent_text),
            support_text = coalesce(%(support_text)s, support_text),
            alert_email = nullif(coalesce(%(alert_email)s, alert_email), '')
        where id = %(org_id)s
        """,
        org_id=org_id,
        **{name: checked.get(name) for name in _CHECKS},
    )
    if "model" in given:
        if given["model"] is None:
            await model.remove_model(tx, org_id)
        else:
            await model.set_model(tx, org_id, given["model"])
    return await profile(tx, org_id)


def check_name(text: str) -> str:
    """An organization's name. Raises BadRequest."""
    text = text.strip()
    if not 1 <= len(text) <= 200 or not text.isprintable():
        raise BadRequest.field("name", "must be 1 to 200 printable characters")
    return text


def _interviewer(text: str) -> str:
    """A name and nothing else: it stands in every question's heading and in prompts."""
    text = " ".join(text.split())
    plain = all(c.isalnum() or unicodedata.category(c)[0] == "M" or c in " '’.-" for c in text)
    if not 1 <= len(text) <= _MAX_INTERVIEWER or not plain or not any(c.isalpha() for c in text):
        raise BadRequest.field(
            "interviewer_name",
            f"must be a name of 1 to {_MAX_INTERVIEWER} letters, digits, spaces and ' - .",
        )
    return text


def _mode(text: str) -> str:
    if text not in get_args(ContextMode):
        raise BadRequest.field("context_mode", f"must be one of {', '.join(get_args(ContextMode))}")
    return text


def _text(field: str, text: str) -> str:
    """A few paragraphs that people read: no control characters, and none that nobody can see."""
    text = text.replace("\r\n", "\n").strip()
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text):
        raise BadRequest.field(field, "must not contain control characters")
    text = "".join(c for c in text if c in "\u200c\u200d\n\t" or unicodedata.category(c) not in {"Cf", "Co", "Cn"})
    if len(text) > _MAX_TEXT:
        raise BadRequest.field(field, f"must be at most {_MAX_TEXT} characters, this has {len(text)}")
    return text


def _email(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    try:
        return email_validator.validate_email(text, check_deliverability=False).normalized
    except email_validator.EmailNotValidError as error:
        raise BadRequest.field("alert_email", f"is not one plain e-mail address: {error}") from None


_CHECKS: dict[str, Callable[[str], str]] = {
    "name": check_name,
    "interviewer_name": _interviewer,
    "context_mode": _mode,
    "consent_text": functools.partial(_text, "consent_text"),
    "support_text": functools.partial(_text, "support_text"),
    "alert_email": _email,
}
