"""What a new organization starts with, and the demo that the first start of a server makes."""

import asyncio
import json
import shlex
from dataclasses import dataclass

from afterword import accounts, deals, interview_types, outreach, tokens
from afterword.accounts import ApiKey, Organization
from afterword.db import Db, Tx
from afterword.settings import Settings, SettingsError

_DEMO_DEAL: dict[str, object] = {
    "name": "Initech: platform renewal",
    "client_name": "Initech",
    "status": "lost",
    "amount": 48000,
    "external_id": "demo-1",
}
_DEMO_COMPETITOR = deals.Competitor("Globex", is_primary=True, outcome="won")


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A new organization with its first key, whose secret is shown this once."""

    organization: Organization
    key: ApiKey
    secret: str
    interview_type_ids: list[str]
    sequence_id: str


async def new_organization(tx: Tx, name: str, plan: str) -> Provisioned:
    """An organization with the shipped interview types and the sequence "Win-loss buyer", switched off."""
    organization = await accounts.create_organization(tx, name, plan)
    types = await interview_types.add_shipped(tx, organization.id)
    sequence = await outreach.add_default(tx, organization.id, types[0].id)
    key, secret = await accounts.create_key(tx, organization.id, "First key")
    return Provisioned(organization, key, secret, [one.id for one in types], sequence.id)


def complete(url: str) -> list[str]:
    """Give every organization the interview types that came with this release; the lines to print about it."""
    return asyncio.run(_complete(url))


async def _complete(url: str) -> list[str]:
    added: dict[str, int] = {}
    async with Db.open(url, size=1, name="afterword provision") as db:
        async with db.tx() as tx:
            incomplete = await interview_types.organizations_missing_shipped(tx)
        for org_id in incomplete:
            async with db.tx() as tx:
                for one in await interview_types.add_missing_shipped(tx, org_id):
                    added[one.name] = added.get(one.name, 0) + 1
    return [f"New interview type in {count} organization(s): {name}" for name, count in added.items()]


def prepare(url: str, settings: Settings) -> list[str]:
    """Make the demo organization if the database has no organization yet; the lines to print about it."""
    return asyncio.run(_prepare(url, settings)) or [
        *complete(url),
        "This database was set up before; `afterword keys create` makes another API key.",
    ]


async def _prepare(url: str, settings: Settings) -> list[str]:
    """The lines about the demo; none where there is an organization already."""
    async with Db.open(url, size=1, name="afterword provision") as db, db.tx() as tx:
        if not await accounts.recognize_secret(tx, tokens.fingerprints()):
            raise SettingsError(
                "AFTERWORD_SECRET_KEY: this database was made with another secret, and no link in it would work with "
                "this one. Give the old one (embedded: the file secret in the data folder), or, to change it, add the "
                "old one to AFTERWORD_OLD_SECRET_KEYS."
            )
        if await accounts.any_organization(tx):
            return []
        organization = await accounts.create_organization(tx, "Demo", "growth")
        types = await interview_types.add_shipped(tx, organization.id)
        sequence = await outreach.add_demo(tx, organization.id, types[0].id)
        deal, _ = await deals.upsert(tx, organization.id, _DEMO_DEAL, [_DEMO_COMPETITOR])
        _, secret = await accounts.create_key(tx, organization.id, "Demo key")
    body = {
        "contact_email": "jane.smith@example.com",
        "contact_name": "Jane Smith",
        "contact_context": {"title": "VP of Engineering", "company": "Initech"},
        "interview_type_id": types[0].id,
        "deal_id": deal.id,
        "objective": "Understand why we lost this deal",
    }
    curl = (
        f"curl -X POST {settings.base_url}/api/v1/interviews -H {shlex.quote(f'Authorization: Bearer {secret}')} "
        f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
    )
    return [
        "A demo organization was made.",
        f"API key: {secret}",
        *(f"Interview type: {one.id} ({one.name})" for one in types),
        f"Sequence: {sequence.id} ({sequence.name})",
        f"Deal: {deal.id} ({deal.name})",
        "Ask for an interview and open the survey_url of the answer (put the sequence_id in place of the "
        "interview_type_id and Paige mails the contact):",
        curl,
    ]
