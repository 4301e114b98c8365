"""Anthropic's messages API. Imported when such a model is first asked."""

import httpx2
from anthropic import AsyncAnthropic
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.profiles.anthropic import AnthropicModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider

from afterword.llm import Model

_URL = "https://api.anthropic.com"


def wire(model: Model, http: httpx2.AsyncClient) -> AnthropicModel:
    """The model behind `http`."""
    client = AsyncAnthropic(api_key=model.key or "none", base_url=model.url or _URL, max_retries=0, http_client=http)
    # what the environment says to the library is not meant for a customer's server
    client._custom_headers = {}  # pyright: ignore[reportPrivateUsage]  (ANTHROPIC_CUSTOM_HEADERS)
    able = AnthropicModelProfile(supports_json_schema_output=True, supports_tools=True)
    return AnthropicModel(model.name, provider=AnthropicProvider(anthropic_client=client), profile=able)
