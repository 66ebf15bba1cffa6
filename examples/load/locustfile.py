"""Load on a PAL: each Locust user holds one conversation after another, run by ``tavus-console run --new``.

    pip install locust tavus-console
    locust -f locustfile.py --headless --users 10 --spawn-rate 2 --pal PAL --script greet.tavus

On several machines: ``locust … --master --expect-workers 2`` on one, ``locust -f - --worker --master-host
HOST`` on the others, which need ``tavus-console``, the script and TAVUS_API_KEY. The master counts: at most
``--most-conversations`` are created in total, and at most ``--most-minutes`` are billed, or may be. Then the
test ends.

Locust shows the requests ``conversation`` (how long it took, or why it failed) and ``reply`` (its latencies).
"""

import itertools
import json
import os
import subprocess
import time

import gevent
from gevent.event import AsyncResult
from locust import User, constant, events, task
from locust.exception import StopUser
from locust.runners import WorkerRunner

ENDING = 20  # seconds for the command to leave, and to end its conversation
ASKING = 30  # seconds for the master to answer


@events.init_command_line_parser.add_listener
def _options(parser):
    parser.add_argument("--pal", default="p1", help="The PAL that is called.")
    parser.add_argument("--script", default="greet.tavus", help="What is run in each conversation.")
    parser.add_argument("--longest", type=int, default=120, help="Seconds that a conversation may take.")
    parser.add_argument("--most-conversations", type=int, default=20, help="So many in the whole test.")
    parser.add_argument("--most-minutes", type=float, default=30, help="Minutes billed in the whole test.")


class Caller(User):
    wait_time = constant(1)

    @task
    def conversation(self):
        options = self.environment.parsed_options
        minutes = options.longest / 60 + 1  # what Tavus may bill at most: run adds a minute for joining
        if not allowance.take(minutes):
            raise StopUser
        begun = time.monotonic()
        result = {}
        try:
            result = converse(options)
        finally:  # also if Locust stops this user
            allowance.give_back(minutes, result.get("minutes", minutes))
        self._fire("conversation", options, time.monotonic() - begun, result["failure"])
        for seconds in result["replies"]:
            self._fire("reply", options, seconds)

    def _fire(self, kind, options, seconds, failure=None):
        self.environment.events.request.fire(
            request_type=kind,
            name=os.path.basename(options.script),
            response_time=seconds * 1000,
            response_length=0,
            exception=Exception(failure) if failure else None,
            context={},
        )


def converse(options):
    """One run: its replies in seconds, the minutes that were billed, and its failure or None."""
    command = ["tavus-console", "run", options.script, "--new", "--pal", options.pal, "--json"]
    command += ["--run-timeout", f"{options.longest}s"]
    command += ["--max-cost-minutes", f"{options.longest / 60 + 1}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = process.communicate()
    finally:
        if process.poll() is None:  # this user is being stopped: the conversation ends first
            process.terminate()
            process.communicate(timeout=ENDING)
    for line in out.splitlines():
        result = json.loads(line)
        if "verdict" in result:
            failure = None if result["ok"] else f"{result['verdict']}: {result['detail']}"
            return {"failure": failure, "replies": result["replies"], "minutes": result["minutes"]}
    failure = err.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
    if failure[0].startswith("{"):
        failure = [json.loads(failure[0])["error"]["message"]]
    return {"failure": failure[0], "replies": []}


class Allowance:
    """What may still be created. Workers ask the master; without workers the only process asks itself."""

    def __init__(self):
        self.granted = 0
        self.under_way = 0
        self.used = 0.0
        self.reserved = 0.0
        self._over = self._ended = False
        self._runner = None
        self._asked = {}
        self._numbers = itertools.count()

    def begin(self, runner):
        self._runner = runner
        if not isinstance(runner, WorkerRunner):
            runner.register_message("may_i", self._decide)
            runner.register_message("done", self._done)
        runner.register_message("answer", self._answered)

    # -- on the side that wants a conversation -----------------------------------------------------------

    def take(self, minutes):
        """Whether one may be created; waits for the minutes of others, which may end early."""
        while (answer := self._ask(minutes)) == "later":
            gevent.sleep(1)
        return answer == "yes"

    def _ask(self, minutes):
        number = next(self._numbers)
        self._asked[number] = answer = AsyncResult()
        self._runner.send_message("may_i", {"number": number, "minutes": minutes})
        try:
            return answer.get(timeout=ASKING)
        except gevent.Timeout:
            return "no"
        finally:
            del self._asked[number]

    def give_back(self, reserved, used):
        self._runner.send_message("done", {"reserved": reserved, "used": used})

    def _answered(self, environment, msg, **more):
        if msg.data["number"] in self._asked:
            self._asked[msg.data["number"]].set(msg.data["answer"])

    # -- on the side that decides ------------------------------------------------------------------------

    def _decide(self, environment, msg, **more):
        options, minutes = environment.parsed_options, msg.data["minutes"]
        answer = "yes"
        if self.granted >= options.most_conversations or self.used + minutes > options.most_minutes:
            answer = "no"
        elif self.used + self.reserved + minutes > options.most_minutes:
            answer = "later"
        if answer == "yes":
            self.granted += 1
            self.under_way += 1
            self.reserved += minutes
        self._over = self._over or answer == "no"
        environment.runner.send_message(
            "answer", {"number": msg.data["number"], "answer": answer}, msg.node_id
        )
        self._end(environment)

    def _done(self, environment, msg, **more):
        self.under_way -= 1
        self.reserved -= msg.data["reserved"]
        self.used += msg.data["used"]
        self._end(environment)

    def _end(self, environment):
        """End the test, once nothing more may be created and nothing is in progress."""
        if self._over and self.under_way == 0 and not self._ended:
            self._ended = True
            print(f"{self.granted} conversations, {self.used:.1f} minutes billed")
            gevent.spawn_later(1, environment.runner.quit)


allowance = Allowance()


@events.init.add_listener
def _init(environment, **more):
    allowance.begin(environment.runner)
