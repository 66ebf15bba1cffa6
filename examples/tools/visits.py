#!/usr/bin/env python3
"""A tool in Python. It prints a JSON object; what it writes to standard error explains a failure."""

import json
import os
import sys

arguments = json.load(sys.stdin)
if "day" not in arguments:
    sys.exit("which day?")
booked = {
    "booked": arguments["day"],
    "people": arguments.get("people", 1),
    "reference": os.environ["TAVUS_TOOL_CALL_ID"],
}
print(json.dumps(booked))
