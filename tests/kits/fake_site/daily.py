"""``import daily`` in a child process whose PYTHONPATH begins here: the fake of tests/kits/fake_daily.py."""

import sys

from tests.kits.fake_daily import from_environment

sys.modules[__name__] = from_environment()
