"""Request and response bodies."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, EmailStr, Field, model_validator


class InterviewRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    contact_email: EmailStr
    sequence_id: str | None = None
    interview_type_id: str | None = None
    contact_name: str | None = Field(default=None, min_length=1, max_length=200)
    contact_context: str | dict[str, Any] | None = None
    deal_id: str | None = None
    objective: str | None = Field(default=None, max_length=4000)

    @model_validator(mode="after")
    def _one_of_the_two(self) -> "InterviewRequest":
        if self.sequence_id is None and self.interview_type_id is None:
            raise ValueError("one of sequence_id and interview_type_id is required")
        return self


class Outreach(BaseModel):
    state: str
    next_send_at: datetime | None = None
    reason: str | None = None


class InterviewCreated(BaseModel):
    interview_request_id: int
    contact_id: str
    deal_id: str | None
    survey_url: str
    survey_token: str
    status: str
    outreach: Outreach | None = None
