"""Every setting of the server, read from environment variables that start with `AFTERWORD_`.

`docs/settings.md` explains each; a test holds the two together.
"""

import functools
import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

import platformdirs
import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Plan = Literal["essentials", "growth", "enterprise"]
Provider = Literal["openai", "anthropic", "google"]  # openai: any server that speaks its API
Output = Literal["native", "tool", "prompted"]
Commas = Annotated[list[str], NoDecode]


class SettingsError(Exception):
    """A setting that cannot be used: its name, what is wrong with it, and what would be right."""


def _default_data_dir() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/afterword")
    return Path(platformdirs.user_data_dir("afterword", appauthor=False))


class Settings(BaseSettings):
    """One field per setting; `AFTERWORD_` + the field's name in capitals is the variable."""

    model_config = SettingsConfigDict(
        env_prefix="AFTERWORD_", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8321, ge=1, le=65535)
    public_url: str = ""
    data_dir: Path = Field(default_factory=_default_data_dir)
    database_url: str = Field(default="", repr=False)
    secret_key: str = Field(default="", repr=False)
    old_secret_keys: Commas = Field(default=[], repr=False)
    web_processes: int = Field(default=1, ge=1, le=64)
    trusted_proxies: Commas = []
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    smtp_url: str = Field(default="", repr=False)
    smtp_timeout_seconds: float = Field(default=60, gt=0, le=600)
    captured_mail_days: int = Field(default=30, ge=1)
    prompt_days: int = Field(default=90, ge=0, le=36_500)
    plan_essentials_per_minute: int = Field(default=60, ge=1)
    plan_growth_per_minute: int = Field(default=300, ge=1)
    plan_enterprise_per_minute: int = Field(default=1000, ge=1)
    failed_logins_per_minute: int = Field(default=60, ge=0)
    database_pool_size: int = Field(default=10, ge=1, le=200)
    survey_message_characters: int = Field(default=4000, ge=0)
    survey_messages: int = Field(default=80, ge=0)
    survey_bucket_turns: int = Field(default=30, ge=0)
    survey_bucket_refill_per_minute: float = Field(default=12, ge=0)
    survey_starts_per_hour: int = Field(default=200, ge=0)
    survey_unknown_tokens_per_minute: int = Field(default=30, ge=0)
    llm_provider: Provider = "openai"
    llm_url: str = ""
    llm_key: str = Field(default="", repr=False)
    llm_model: str = ""
    llm_output: Output = "native"
    llm_input_price: float = Field(default=0, ge=0)
    llm_output_price: float = Field(default=0, ge=0)
    llm_daily_cap: float = Field(default=0, ge=0)
    llm_monthly_cap: float = Field(default=0, ge=0)
    llm_tokens_per_interview: int = Field(default=60_000, ge=0)
    llm_deadline_scale: float = Field(default=1, gt=0, le=10)
    llm_allow: Commas = []

    @field_validator("old_secret_keys", "trusted_proxies", "llm_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxies", "llm_allow")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for network in value:
            ipaddress.ip_network(network, strict=False)
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            good = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
            if not good or not _has_port(parts):
                raise ValueError("give an address such as https://interviews.example.com")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        example = "give an address such as postgresql://user:password@host:5432/database"
        if value and urlsplit(value).scheme not in {"postgresql", "postgres"}:
            raise ValueError(example)
        try:
            conninfo_to_dict(value)
        except psycopg.ProgrammingError:
            # what the driver says may quote a password that is not encoded
            raise ValueError(f"{example}; write special characters of the password as %40 for @") from None
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or not _has_port(parts):
                raise ValueError("give an address such as smtp://user:password@host:587?tls=starttls")
            if set(parse_qs(parts.query).get("tls", [])) - {"starttls", "implicit", "none"}:
                raise ValueError("tls must be starttls, implicit or none")
        return value

    @field_validator("secret_key")
    @classmethod
    def _secret_key(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("give at least 32 characters of randomness, for example from 'openssl rand -hex 32'")
        return value

    @field_validator("llm_url")
    @classmethod
    def _llm_url(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_port(parts):
                raise ValueError("give an address such as http://127.0.0.1:11434/v1")
            if parts.username is not None or parts.query or parts.fragment:
                raise ValueError("give an address without user, password, ? and #; a key goes into AFTERWORD_LLM_KEY")
        return value.rstrip("/")

    @field_validator("llm_key")
    @classmethod
    def _llm_key(cls, value: str) -> str:
        value = value.strip()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("give the key as the provider shows it: printable ASCII characters without spaces")
        return value

    @model_validator(mode="after")
    def _llm(self) -> Self:
        """What is wanted together. The lines name their settings themselves."""
        if not self.llm_model:
            for name in ("llm_url", "llm_key"):
                if getattr(self, name):
                    raise ValueError(
                        f"AFTERWORD_LLM_MODEL: needed with AFTERWORD_{name.upper()}; leave both out and Paige follows "
                        "her script"
                    )
        elif not self.llm_key and self.llm_provider != "openai":
            raise ValueError(f"AFTERWORD_LLM_KEY: needed, {self.llm_provider} answers nobody without one")
        elif not self.llm_key and not self.llm_url:
            raise ValueError(
                "AFTERWORD_LLM_KEY: needed for OpenAI's own models; for another server give AFTERWORD_LLM_URL"
            )
        return self

    @property
    def base_url(self) -> str:
        """What every link starts with. Never taken from a request's Host header, which anyone can write."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @property
    def embedded(self) -> bool:
        """Whether we run PostgreSQL ourselves, in the data folder."""
        return not self.database_url

    @property
    def outbox_folder(self) -> Path:
        """Where mails are captured while no mail server is configured."""
        return self.data_dir / "outbox"

    def plan_limits(self) -> tuple[int, int, int]:
        """Requests a minute for Essentials, Growth and Enterprise."""
        return self.plan_essentials_per_minute, self.plan_growth_per_minute, self.plan_enterprise_per_minute


def _has_port(parts: SplitResult) -> bool:
    """Whether the port is a number that a port can have, or left out."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def load() -> Settings:
    """Read the environment. Raises SettingsError with one line a fault."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_line(fault) for fault in error.errors())) from None


def _line(fault: ErrorDetails) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    # what concerns several settings names them itself
    return f"AFTERWORD_{str(fault['loc'][0]).upper()}: {message}" if fault["loc"] else message


@functools.cache
def current() -> Settings:
    """The settings of this process, read once."""
    return load()
