"""The script of a simulated PAL as values, which ``script`` reads from TOML (docs/sim.md)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tavus_cli.language.patterns import Pattern
from tavus_cli.rooms.sim.faults import NO_FAULTS, FaultRates

END_CALL = "end_call"  # the system tool that every PAL has (docs/protocol.md, section 3.4)


class Timing(NamedTuple):
    """Seconds, except ``words_per_minute``, and ``jitter``: the part of each wait that is random."""

    words_per_minute: float = 170.0
    think: float = 0.7  # from the end of the question to the answer
    jitter: float = 0.15
    join: float = 0.4  # from our joining to the PAL's
    lag: float = 0.06  # the delay of an interaction on its way to Tavus
    heartbeat: float = 1.0


class Step(NamedTuple):
    """One step, due after ``after`` seconds. ``kind`` and ``more`` are keys of ``_STEPS``."""

    kind: str
    value: Any
    more: Mapping[str, Any]
    after: float


class Tool(NamedTuple):
    name: str
    arguments: Any = None  # an object, or the text as the LLM wrote it, which may be invalid JSON
    on_resolve: str = "fire_and_forget"
    say: str = "{output}"
    error: str = "Sorry, that did not work."
    timeout: float = 20.0
    timed_out: str = ""
    id: bool = True  # False for inline tools, whose calls have no id


class SimReply(NamedTuple):
    """``match`` is None for the default reply. The texts of ``say`` are used in turn."""

    match: Pattern | None = None
    say: tuple[str, ...] = ()
    delay: float | None = None
    tool: str = ""
    arguments: Any = None
    then: tuple[Step, ...] = ()


class Objective(NamedTuple):
    name: str
    match: Pattern
    variables: Mapping[str, Any]
    confirm: str = "auto"


class SimScript(NamedTuple):
    name: str = "Sim"
    replica_id: str = "r0simulated0"
    greeting: str = ""
    context: str = ""
    default: tuple[str, ...] = ("You said: {user}",)
    respond_waits: bool = False
    shutdown_after: float | None = None
    shutdown_reason: str = "max_call_duration reached"
    timing: Timing = Timing()
    replies: tuple[SimReply, ...] = ()
    tools: Mapping[str, Tool] = MappingProxyType({})
    objectives: tuple[Objective, ...] = ()
    at: tuple[Step, ...] = ()
    faults: FaultRates = NO_FAULTS


class Options(NamedTuple):
    """The parameters of a spec. ``speed`` None is "max"; ``faults`` are those of the script, overridden by
    the spec.

    Load: ``burst`` events at once, then ``rate`` a second until ``events`` of these were sent (None: no end).
    """

    seed: int = 0
    speed: float | None = 1.0
    rate: float = 0.0
    burst: int = 0
    events: int | None = None
    faults: FaultRates = NO_FAULTS
