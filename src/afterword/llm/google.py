"""Google's Gemini API. Imported when such a model is first asked."""

import httpx2
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.profiles.google import GoogleModelProfile
from pydantic_ai.providers.google import GoogleProvider

from afterword.llm import Model

_URL = "https://generativelanguage.googleapis.com"


def wire(model: Model, http: httpx2.AsyncClient) -> GoogleModel:
    """The model behind `http`."""
    provider = GoogleProvider(api_key=model.key or "none", base_url=model.url or _URL, http_client=http)
    able = GoogleModelProfile(supports_json_schema_output=True, supports_tools=True, supports_json_object_output=True)
    return GoogleModel(model.name, provider=provider, profile=able)
