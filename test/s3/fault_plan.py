"""Which request meets which fault.

A plan names its faults one by one, or has them drawn:

    {"faults": [{"kind": "lost_answer", "operation": "Complete", "number": 1, "count": 2}]}
    {"seed": 7, "kinds": ["reset_request", "slow_down"], "rates": {"UploadPart": 0.1, "": 0.2}}

A drawn fault depends on nothing but the seed, the operation and how many requests of that operation
came before, so a seed brings the same faults again. "" in rates stands for every other operation;
without "kinds", all are drawn from.

Both forms may set "stall" (seconds a stalled socket rests), "refuse" (seconds without a listener)
and "clock" (seconds by which the store's clock is ahead: requests dated more than 15 minutes off are
refused, the others signed anew for the server behind).
"""

import collections
import random

WRITES = {"Put", "UploadPart", "CreateUpload", "Complete"}
WITH_BODY = {"Put", "UploadPart", "Complete"}
ANSWERED_WITH_BODY = {"Get", "List", "ListUploads", "ListParts", "CreateUpload", "Complete"}
EVERY = WRITES | ANSWERED_WITH_BODY | {"Head", "Delete", "Abort"}

# What can go wrong, and with which operations.
KINDS = {
    "reset_request": WITH_BODY,  # reset in the middle of the request's body
    "reset_answer": EVERY,  # done, then reset in the middle of the answer
    "lost_answer": EVERY,  # done, then closed without a byte of an answer
    "truncated": ANSWERED_WITH_BODY,  # done, then closed in the middle of the answer's body
    "stall_request": WITH_BODY,  # stops reading the request's body for a while
    "stall_answer": EVERY,  # done, but the answer stops for a while
    "trickle": EVERY,  # bodies pass in little pieces
    "error_500": EVERY,  # 500 in a row, nothing is done
    "slow_down": EVERY,  # 503 SlowDown in a row, some with Retry-After
    "too_many": EVERY,  # 429 in a row
    "done_500": WRITES,  # 500, but it was done
    "error_200": WRITES,  # 200 with an <Error>, nothing is done
    "done_error_200": WRITES,  # 200 with an <Error>, but it was done
    "no_etag": {"Put", "UploadPart", "Get", "Head"},  # the answer has lost its ETag header
    "wrong_date": EVERY,  # the answer's Date is an hour off
    "skewed": EVERY,  # 403 RequestTimeTooSkewed by a server whose clock is an hour off
    "late_part": {"UploadPart"},  # closed, but the part arrives seconds later
    "refuse": EVERY,  # all connections are reset and new ones refused for a while
}
IN_A_ROW = {"error_500", "slow_down", "too_many"}
LONGEST_ROW = 4


class Plan:
    """Which request meets which fault."""

    def __init__(self, given):
        unknown = set(given) - {"faults", "seed", "kinds", "rates", "stall", "refuse", "clock"}
        if unknown:
            raise ValueError(f"unknown in a plan: {sorted(unknown)}")
        self.faults = given.get("faults", [])
        self.seed = given.get("seed")
        self.kinds = sorted(given.get("kinds", KINDS))
        self.rates = given.get("rates", {"": 0.1})
        self.stall = given.get("stall", 3)
        self.refuse = given.get("refuse", 20)
        self.clock = given.get("clock", 0)
        for kind in self.kinds + [fault["kind"] for fault in self.faults]:
            if kind not in KINDS:
                raise ValueError(f"unknown kind of fault: {kind}")
        self.seen = collections.Counter()

    def next(self, operation):
        """The number of this request among those of its operation, and its fault: a kind and the
        source of its details, or None."""
        self.seen[operation] += 1
        number = self.seen[operation]
        return number, self.named(operation, number) or self.drawn(operation, number)

    def named(self, operation, number):
        for fault in self.faults:
            first = fault.get("number", 1)
            if (
                fault.get("operation", operation) == operation
                and operation in KINDS[fault["kind"]]
                and first <= number < first + fault.get("count", 1)
            ):
                return fault["kind"], random.Random(f"{operation}/{number}")
        return None

    def drawn(self, operation, number):
        if self.seed is None:
            return None
        for back in range(min(LONGEST_ROW, number)):
            source = random.Random(f"{self.seed}/{operation}/{number - back}")
            if source.random() >= self.rates.get(operation, self.rates.get("", 0)):
                continue
            kind = source.choice(self.kinds)
            row = source.randint(1, LONGEST_ROW) if kind in IN_A_ROW else 1
            if operation in KINDS[kind] and row > back:
                return kind, source
        return None
