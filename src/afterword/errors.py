"""What can go wrong, said once: each error knows its HTTP status, its code and what to tell the caller.

Domain code raises these; `app` renders them as JSON for the API and as a page for people.
"""

from collections.abc import Mapping, Sequence


class AfterwordError(Exception):
    """An error with a status, a stable code, and a message written for whoever made the call."""

    status = 500
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        fields: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields = tuple(fields)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def body(self) -> dict[str, object]:
        """The `error` object of the answer, without the request id."""
        body: dict[str, object] = {"code": self.code, "message": self.message, **self.extra}
        if self.fields:
            body["details"] = {"fields": [{"field": field, "message": message} for field, message in self.fields]}
        return body


class BadRequest(AfterwordError):
    """A missing or malformed field, or an id that is not in the caller's organization."""

    status = 400
    code = "bad_request"

    @classmethod
    def field(cls, field: str, message: str) -> "BadRequest":
        """One field is wrong: the message starts with its name, the details name it again."""
        return cls(f"{field} {message}", fields=[(field, message)])


class Unauthorized(AfterwordError):
    """No key, or not one that is valid now. One message for all, so that nothing can be learned from it."""

    status = 401
    code = "unauthorized"

    def __init__(self, message: str = "Invalid or missing API key. Send it as 'Authorization: Bearer aw_…'.") -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Bearer"})


class InsufficientScope(AfterwordError):
    """The key is good but may not do this."""

    status = 403
    code = "insufficient_scope"

    def __init__(self, required: Sequence[str]) -> None:
        super().__init__(
            f"This key lacks the scope {' and '.join(required)}. Create a key that has it.",
            extra={"required_scopes": list(required)},
        )


class Forbidden(AfterwordError):
    """Refused whoever asks, such as a form posted from a foreign site."""

    status = 403
    code = "forbidden"


class NotFound(AfterwordError):
    """Nothing of that name that the caller may see."""

    status = 404
    code = "not_found"


class MethodNotAllowed(AfterwordError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"


class Conflict(AfterwordError):
    """Something that the present state forbids, or a first call that is still running."""

    status = 409
    code = "conflict"


class PayloadTooLarge(AfterwordError):
    """The body is over the limit."""

    status = 413
    code = "payload_too_large"


class UnsupportedMediaType(AfterwordError):
    """A body that is not plain JSON."""

    status = 415
    code = "unsupported_media_type"


class IdempotencyMismatch(AfterwordError):
    """An Idempotency-Key that was used before with another body."""

    status = 422
    code = "idempotency_mismatch"


class RateLimited(AfterwordError):
    """Over the plan's limit, or too many failed attempts from one address."""

    status = 429
    code = "rate_limit_exceeded"


class InternalError(AfterwordError):
    """A fault of ours. Nothing half-written stays behind."""


class Unavailable(AfterwordError):
    """The database cannot be reached, or the server is draining. Try again."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str = "The service is not available at the moment. Try again shortly.") -> None:
        super().__init__(message, headers={"Retry-After": "2"})
