"""`/organization`: what an organization says of itself, how its interviews are held, and with whose language model."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field, Strict, model_validator

from afterword import accounts, llm
from afterword.accounts import Caller, ContextMode
from afterword.api.gate import Administers, Database, OptionalKey
from afterword.api.shapes import IgnoredOrgId, RequestModel, ResponseModel
from afterword.db import Db
from afterword.llm import Model, ModelFailed, trial
from afterword.settings import Output, Provider

router = APIRouter(prefix="/organization", tags=["Account"])

Dollars = Annotated[float, Strict(), Field(ge=0)]


class ModelPatch(RequestModel):
    """The organization's own language model. What is left out stays; the key only while provider and url stay."""

    provider: Provider | None = Field(
        default=None, description="`openai`: any server that speaks its API.", examples=["openai"]
    )
    url: str | None = Field(
        default=None,
        description='A public address; `""` is the provider\'s own.',
        examples=["https://models.example.com/v1"],
    )
    name: str | None = Field(default=None, examples=["small-model-2026"])
    key: str | None = Field(default=None, description='Never shown again. `""` forgets it.', repr=False)
    output: Output | None = Field(default=None, description="How structured answers are asked for.")
    input_price: Dollars | None = Field(default=None, description="US dollars for a million tokens.", examples=[0.25])
    output_price: Dollars | None = Field(default=None, examples=[2])
    daily_cap: Dollars | None = Field(
        default=None, description="US dollars a day (UTC); 0: no cap, null: the server's.", examples=[5]
    )
    monthly_cap: Dollars | None = Field(default=None, examples=[50])

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        """But for the caps, where null is the server's."""
        if not isinstance(given, dict):
            return given
        caps = {"daily_cap", "monthly_cap"}
        return {name: value for name, value in _fields(given).items() if value is not None or name in caps}


class OrganizationPatch(RequestModel):
    """What is left out stays. `model` null removes the organization's own model, so that the server's holds again."""

    name: str | None = Field(default=None, description="Contacts are told for whom they are interviewed.")
    interviewer_name: str | None = Field(default=None, examples=["Paige"])
    context_mode: ContextMode | None = Field(default=None, examples=["direct"])
    consent_text: str | None = Field(default=None, description="Told before the first question, beside our own words.")
    support_text: str | None = Field(default=None, description="Told to a contact who seems to be in distress.")
    alert_email: str | None = Field(default=None, description='`""`: nobody is mailed.', examples=["cs@example.com"])
    model: ModelPatch | None = None
    org_id: IgnoredOrgId = None

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        """But for `model`, where null removes it."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in _fields(given).items() if value is not None or name == "model"}


class ModelTest(RequestModel):
    """Without `model` the one in use is asked, with it the one that would be after such a PATCH."""

    model: ModelPatch | None = Field(default=None, examples=[{"name": "another-model-2026"}])
    org_id: IgnoredOrgId = None


class ModelOut(ResponseModel):
    """The organization's own language model, without its key."""

    provider: Provider
    url: str
    name: str
    output: Output
    input_price: float
    output_price: float
    key_set: bool
    daily_cap: float | None
    monthly_cap: float | None


class OrganizationSettings(ResponseModel):
    """An organization's settings. `model` is null where the server's holds."""

    id: str = Field(examples=["org_abc123"])
    name: str = Field(examples=["Acme"])
    plan: str = Field(examples=["growth"])
    interviewer_name: str
    context_mode: ContextMode
    consent_text: str
    support_text: str
    alert_email: str | None
    model: ModelOut | None


class ModelFault(ResponseModel):
    """Why a model did not answer."""

    reason: str = Field(examples=["unauthorized"])
    message: str


class ModelTestOut(ResponseModel):
    """Whether the model answers as Paige needs it."""

    ok: bool
    seconds: float = Field(description="How long it took.")
    model: str | None = Field(description="The model's name, null where there is none.")
    error: ModelFault | None = None


def _fields(given: Any) -> dict[str, Any]:
    return dict(given)


@router.get("", summary="Look at the organization")
async def read(caller: Administers, db: Database) -> OrganizationSettings:
    """Its name, texts, interviewer and language model. The model's key is never shown."""
    async with db.tx() as tx:
        return OrganizationSettings.model_validate(await accounts.profile(tx, caller.org_id))


@router.patch("", summary="Change the organization")
async def update(caller: Administers, body: OrganizationPatch, db: Database) -> OrganizationSettings:
    """Set what is given. Interviews under way go on with the new settings at their next turn."""
    given = body.model_dump(exclude_unset=True, exclude={"org_id"})
    async with db.tx() as tx:
        return OrganizationSettings.model_validate(await accounts.change_profile(tx, caller.org_id, given))


@router.post("/model/test", status_code=201, responses={201: {"model": ModelTestOut}}, summary="Try the language model")
async def test(caller: Administers, key: OptionalKey, body: ModelTest, db: Database) -> Response:
    """Ask the model one tiny question. It counts against the caps; an open breaker is passed."""
    async with db.tx() as tx:
        if key is not None and (kept := await accounts.recall(tx, caller.org_id, key)) is not None:
            return Response(kept, 201, {"Idempotent-Replayed": "true"}, media_type="application/json")
        if body.model is None:
            model = await accounts.model_of(tx, caller.org_id)
        else:
            model = await accounts.try_model(tx, caller.org_id, body.model.model_dump(exclude_unset=True))
    answer = (await _tried(db, caller, model)).model_dump_json()
    if key is not None:
        async with db.tx() as tx:
            await accounts.keep(tx, caller.org_id, key, answer)
    return Response(answer, 201, media_type="application/json")


async def _tried(db: Db, caller: Caller, model: Model | None) -> ModelTestOut:
    if model is None:
        return _fault(None, "none", "No language model is set, here or on the server; Paige follows her script.")
    reserved = llm.likely_cost(model, trial.MESSAGES, max_tokens=trial.MAX_TOKENS)
    async with db.tx() as tx:
        if not await accounts.reserve_cost(tx, caller.org_id, reserved):
            return _fault(model, "cost_cap", "The cap of the day or month is reached; Paige follows her script.")
    spent = (0, 0)
    try:
        answered = await trial.ask(model)
        spent = (answered.input_tokens, answered.output_tokens)
        return ModelTestOut(ok=True, seconds=round(answered.seconds, 3), model=model.name)
    except ModelFailed as failed:
        spent = (failed.input_tokens, failed.output_tokens)
        return _fault(model, failed.reason, failed.message if model.own else _HOUSE, failed.seconds)
    finally:
        async with db.tx() as tx:
            await accounts.settle_cost(
                tx,
                caller.org_id,
                reserved=reserved,
                cost=llm.cost(model, *spent),
                input_tokens=spent[0],
                output_tokens=spent[1],
            )


# What the operator's server and provider say may hold addresses and accounts that are no customer's business.
_HOUSE = "The language model of this server did not answer as it should; for its operator `afterword doctor` says why."


def _fault(model: Model | None, reason: str, message: str, seconds: float = 0.0) -> ModelTestOut:
    return ModelTestOut(
        ok=False,
        seconds=round(seconds, 3),
        model=model.name if model is not None else None,
        error=ModelFault(reason=reason, message=message),
    )
