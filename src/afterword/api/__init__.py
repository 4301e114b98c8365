"""The public REST API, v1: one file per resource, its models beside its routes."""

from fastapi import APIRouter

from afterword.api import contacts, deals, interview_types, interviews, me, organization, sequences
from afterword.api.openapi import mount_docs

router = APIRouter(prefix="/api/v1")
for resource in (interviews, contacts, deals, interview_types, sequences, me, organization):
    router.include_router(resource.router)

__all__ = ["mount_docs", "router"]
