"""What the people who run a programme see. For now one page: the outbox of captured mails."""

from afterword.dashboard import outbox

router = outbox.router

__all__ = ["outbox", "router"]
