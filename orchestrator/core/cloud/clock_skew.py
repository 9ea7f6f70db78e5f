"""How wrong this machine's clock may be. AWS refuses a signature that is five minutes off (RequestTimeTooSkewed)."""

from datetime import timedelta

WARN_OVER = timedelta(seconds=60)
REFUSE_OVER = timedelta(seconds=240)
