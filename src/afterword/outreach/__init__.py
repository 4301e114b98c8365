"""Outreach: who is mailed what and when, and the sending of it.

`sequences` holds what is sent, `schedule` when, `compose` what a mail says, `claims` and `sending` the protocol that
loses nothing, `explaining` where one interview's mailing stands, `unsubscribing` the way out, `waking` the bell.
"""

from afterword.outreach.explaining import Outreach, explain
from afterword.outreach.schedule import Delay, SendWindow, first_send
from afterword.outreach.sending import MailServerDown, send_due
from afterword.outreach.sequences import Sequence, Step, Throttle, add_default, add_demo, create, find, get
from afterword.outreach.unsubscribing import Subscription, look, resubscribe, unsubscribe
from afterword.outreach.waking import listen, wake

__all__ = [
    "Delay",
    "MailServerDown",
    "Outreach",
    "SendWindow",
    "Sequence",
    "Step",
    "Subscription",
    "Throttle",
    "add_default",
    "add_demo",
    "create",
    "explain",
    "find",
    "first_send",
    "get",
    "listen",
    "look",
    "resubscribe",
    "send_due",
    "unsubscribe",
    "wake",
]
