"""OpenAI, and every server that speaks its chat completions. Imported when such a model is first asked."""

import httpx2
from openai import AsyncOpenAI
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from afterword.llm import Model

_URL = "https://api.openai.com/v1"


def wire(model: Model, http: httpx2.AsyncClient) -> OpenAIChatModel:
    """The model behind `http`."""
    client = AsyncOpenAI(
        api_key=model.key or "none",  # the library wants one
        base_url=model.url or _URL,
        max_retries=0,
        http_client=http,
    )
    # what the environment says to the library is not meant for a customer's server
    client.organization = client.project = None
    client._custom_headers = {}  # pyright: ignore[reportPrivateUsage]  (OPENAI_CUSTOM_HEADERS)
    # What a model is able to do the operator says with `output`; if it is not so, the server answers 400
    able = OpenAIModelProfile(
        supports_json_schema_output=True, supports_tools=True, supports_json_object_output=not model.url
    )
    if not model.url:
        return OpenAIChatModel(model.name, provider=OpenAIProvider(openai_client=client), profile=able)
    able["openai_chat_supports_max_completion_tokens"] = False  # the older `max_tokens` is what every server knows
    return OpenAIChatModel(
        model.name, provider=OpenAICompatibleProvider("compatible", openai_client=client), profile=able
    )
