"""The language of scripts: lines, mistakes and their places, and what a MATCH matches."""

from __future__ import annotations

from typing import Any

import pytest

from tavus_cli.protocol import interactions
from tavus_cli.protocol.conversation import Conversation
from tavus_cli.protocol.entries import EventEntry
from tavus_cli.protocol.events import decode
from tavus_cli.protocol.interactions import Interaction
from tavus_cli.protocol.snapshot import Snapshot
from tavus_cli.script.conditions import LineError, absent, look_up, match_of, tokens
from tavus_cli.script.model import Assign, Line, Pause, Print, Quit, Repeat, Send, Statement, When
from tavus_cli.script.names import Kept, Names
from tavus_cli.script.statements import command, parse_script, statement
from tavus_cli.script.window import Expectation, Window


def said(text: str, names: Names | None = None) -> Statement:
    return statement(Line(1, 1, text), names or Names())


def entry(properties: dict[str, Any], name: str = "utterance", **more: Any) -> EventEntry:
    message = {"message_type": "conversation", "event_type": f"conversation.{name}", **more}
    return EventEntry(decode(message | {"properties": properties}), 10.0)


def expected(text: str) -> Expectation:
    what = said(text)
    assert isinstance(what, Expectation)
    return what


def properties(what: Statement) -> Any:
    assert isinstance(what, Send)
    assert isinstance(what.action, Interaction)
    return what.action.properties


# -- lines -------------------------------------------------------------------------------------------------


def test_lines_of_every_kind() -> None:
    assert properties(said("Hello there")) == {"text": "Hello there"}
    assert properties(said("//slash")) == {"text": "/slash"}
    assert said("/wait 1500ms") == Pause(1.5)
    assert said("/wait 2 s ") == Pause(2.0)
    assert said("/set who  Dana Scully") == Assign("who", "Dana Scully", False)
    assert said('/set who "  Dana"') == Assign("who", "  Dana", False)
    assert said("/print a  b") == Print("a  b")
    assert said("/repeat 3") == Repeat(3, "n")
    assert said("/repeat 3 as i") == Repeat(3, "i")
    assert said("/quit") == Quit()
    what = expected('/expect no tool_call name=book arguments.day~"mon day" within 2s from start')
    assert str(what) == "no tool_call name=book arguments.day~mon day within 2 s"
    assert (what.none, what.from_start, what.waits) == (True, True, False)
    assert expected("/wait reply as answer").waits
    when = said('/when started_speaking role=pal text~"a /b" after 300ms /echo it\'s 5" wide')
    assert isinstance(when, When)
    assert (when.after, when.command, str(when.event.matches[1])) == (0.3, "/echo it's 5\" wide", "text~a /b")


WRONG = {
    "/expect utterence": (9, "did you mean utterance?"),
    "/expect conversation.utterence": None,
    "/expect replica.*": None,
    "/expct utterance": (1, "did you mean /expect?"),
    "/wiat 5s": (1, "did you mean /wait?"),
    "/expect utterance wihtin 5s": (19, "did you mean within?"),
    "/expect utterance within": (19, "DURATION is missing"),
    "/expect utterance within soon": (26, "not a duration"),
    "/expect utterance from strat": (24, "from start"),
    "/expect utterance seq<many": (23, "not a number"),
    "/expect utterance text~(": (24, "not a valid regular expression"),
    '/expect utterance text="open': (24, "quote"),
    "/expect utterance as 1st": (22, "not a valid NAME"),
    "/expect utterance within 5s within 1s": (29, "twice"),
    "/expect utterance as a as b": (24, "twice"),
    "/expect utterance as within within 5s": None,
    "/when utterance after 1s after 2s /interrupt": (26, "twice"),
    "/expect on tool_call": (9, "did you mean no?"),
    "/expect utterance text=~open": (23, "did you mean text~open?"),
    "/wait utterance role=pall": (22, 'unknown role "pall"; did you mean pal?'),
    "/expect utterance role=usr text~hi": (24, "did you mean user?"),
    "/when utterance role=Pal /interrupt": (22, "did you mean pal?"),
    "/wait 2 seconds": (7, "2 seconds"),
    "/expect": (1, "missing"),
    "/expect no": (9, "EVENT is missing"),
    "/expect no utterance as x": (22, "as"),
    "/when utterance": (15, "COMMAND is missing"),
    "/when utterance after 3s /ehco hi": (26, "did you mean /echo?"),
    "/when utterance /quit": (17, "cannot follow /when"),
    "/when reply /interrupt": (7, "/expect"),
    "/sensitivity pause=hihg": (14, "low"),
    "/raw {": (6, "not JSON"),
    "/set who": (9, "VALUE is missing"),
    "/repeat many": (9, "not a number"),
    "/repeat 0": (9, "not a number"),
    "/help": (1, "only in the console"),
    "/echo $who": (7, "$who is not set"),
    "/print a $who": (10, "$who is not set"),
    "  /expect utterence": (11, "did you mean utterance?"),
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_reported_with_its_column(text: str) -> None:
    block = "  \n" if text.startswith("/repeat") else ""
    wrong = WRONG[text]
    script = parse_script("# first\n\n" + text + "\n" + block)
    mistakes = [one for one in script.mistakes if "indented below" not in one.message]
    if wrong is None:
        assert mistakes == []
        return
    column, says = wrong
    assert [(one.line, one.column) for one in mistakes] == [(3, column)]
    assert says in mistakes[0].message


def test_every_mistake_is_reported_and_an_unset_name_only_once() -> None:
    script = parse_script("/expect utterence as x\n/print $x.text\n/expct\n")
    assert [one.line for one in script.mistakes] == [1, 3]


def test_blocks_are_what_is_indented() -> None:
    text = "/repeat 2 as a\n  /repeat 3 as b\n    /echo $a $b\n  /interrupt\nend\n"
    script = parse_script(text)
    assert script.mistakes == ()
    outer, end = script.lines
    assert [line.text for line in outer.block] == ["/repeat 3 as b", "/interrupt"]
    assert [line.text for line in outer.block[0].block] == ["/echo $a $b"]
    assert end.text == "end"
    assert "indented" in parse_script("hello\n  there\n").mistakes[0].message
    assert "indented less" in parse_script("/repeat 2\n    a\n  b\n").mistakes[0].message
    assert "no indented lines" in parse_script("/repeat 2\na\n").mistakes[0].message


def test_tokens_keep_quoted_spaces_and_a_regex_its_backslashes() -> None:
    assert [word.plain for word in tokens(r'a "b c"d text~"x\d \"y\""')] == ["a", "b cd", r'text~x\d "y"']


# -- matching ----------------------------------------------------------------------------------------------

BOOK = {
    "name": "book",
    "arguments": '{"day": "monday", "people": 2}',
    "tool_call_id": "c1",
    "frames": [{"uri": "u"}],
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("name=book", True),
        ("name=boo", False),
        ("name~^bo+k$", True),
        ("properties.name=book", True),
        ("arguments.day=monday", True),
        ("arguments.people=2", True),
        ("arguments.people=2.0", True),
        ("arguments.people>1", True),
        ("arguments.people<1", False),
        ("arguments.day>1", False),
        ("frames.0.uri=u", True),
        ("frames.1.uri=u", False),
        ("frames.x=u", False),
        ("frames~uri", True),
        ("nothing=", False),
        ("nothing.deep=1", False),
        ("seq=7", True),
        ("seq>6", True),
        ("turn=2", True),
        ("turn_idx<3", True),
        ("type=tool_call", True),
        ("event_type=conversation.tool_call", True),
        ("interrupted=false", True),
        ("late=false", True),
        ("at<10.5", True),
        ("at<11000ms", True),
        ("properties.name.deep=1", False),
    ],
)
def test_any_field_of_an_event_can_be_matched(condition: str, holds: bool) -> None:
    match = match_of(condition)
    assert match is not None
    assert match(entry(BOOK, "tool_call", seq=7, turn_idx=2)) is holds


def test_roles_have_one_name() -> None:
    for word in ("pal", "replica"):
        match = match_of(f"role={word}")
        assert match is not None
        assert match(entry({"role": "replica"}))
    assert absent(look_up(entry({}), "nothing"))
    assert match_of("words") is None


# -- names -------------------------------------------------------------------------------------------------


def kept(**values: Any) -> Names:
    names = Names(checking=False)
    names.keep("call", Kept(entry(values, "tool_call"), 0.25))
    return names


def test_names_stand_for_texts_and_fields() -> None:
    names = kept(name="book", arguments='{"day": "monday"}')
    names.assign("who", "Dana")
    text = "/print $who. ${who}s $who.x $$who $5 $call.name $call.arguments.day $call.after"
    assert said(text, names) == Print("Dana. Danas Dana.x $who $5 book monday 0.25")
    with pytest.raises(LineError, match="call has no nothing"):
        said("/print $call.nothing", names)
    with pytest.raises(LineError, match="name a field"):
        said("/print $call", names)
    names.expect("call")
    with pytest.raises(LineError, match="call has not arrived"):
        said("/print $call.name", names)


def test_values_from_events_never_become_options_words_or_json() -> None:
    names = kept(tool_call_id='a b --error {"x', arguments="--completed")
    sent = properties(command('/tool-result $call.tool_call_id {"it": "$call.tool_call_id"}', names))
    assert sent == {
        "tool_call_id": 'a b --error {"x',
        "output": {"it": 'a b --error {"x'},
        "status": "success",
    }
    assert properties(command("/context append x $call.arguments", names)) == {"context": "x --completed"}
    taken = said("/set id $call.tool_call_id", names)
    assert isinstance(taken, Assign)
    names.assign(taken.name, taken.value, remote=taken.remote)
    assert properties(command("/tool-result $id ok", names))["tool_call_id"] == 'a b --error {"x'
    with pytest.raises(Exception, match="file name"):
        command("/echo --audio $call.arguments", names)


def test_a_value_with_spaces_stays_one_value_in_a_match() -> None:
    names = Names()
    names.assign("words", "nine to five")
    what = said("/expect utterance text=$words", names)
    assert isinstance(what, Expectation)
    assert what.fits(entry({"speech": "nine to five"}))


# -- windows -----------------------------------------------------------------------------------------------


class Talk:
    """A conversation and a window since the sending of ``interaction``."""

    def __init__(self, interaction: Interaction, *before: dict[str, Any]) -> None:
        self.conversation = Conversation()
        self.conversation.resume(Snapshot(seq=0))  # number 1 comes next
        self.at = 100.0
        for message in before:
            self.conversation.receive(message, self.at)
        self.window = Window(self.conversation, self.at, interaction, sent=True)
        self.add(self.conversation.sent(interaction.encode("c"), self.at, interaction))

    def add(self, entries: list[Any]) -> None:
        for one in entries:
            self.window.add(one)

    def come(self, message: dict[str, Any], after: float = 0.1) -> None:
        self.at += after
        self.add(self.conversation.receive(message, self.at))


def utterance(seq: int, turn: int, role: str, speech: str) -> dict[str, Any]:
    message = {"message_type": "conversation", "event_type": "conversation.utterance", "seq": seq}
    return message | {"turn_idx": turn, "properties": {"role": role, "speech": speech}}


def test_what_an_older_turn_still_says_is_not_what_is_expected() -> None:
    talk = Talk(interactions.respond("second"), utterance(1, 1, "pal", "first"))
    what = expected("/expect utterance role=pal")
    talk.come(utterance(2, 1, "pal", "still the first"))
    doubts = [talk.window.in_doubt]
    talk.come(utterance(3, 2, "user", "second"))
    doubts.append(talk.window.in_doubt)
    assert doubts == [True, False]
    assert talk.window.found(what) is None
    old = talk.window.found(expected("/expect utterance turn=1"))
    assert old is not None
    assert old.event.text == "still the first"
    talk.come(utterance(4, 2, "pal", "the second"))
    found = talk.window.found(what)
    answer = talk.window.found(expected("/expect reply"))
    assert found is answer
    assert found is not None
    assert found.event.text == "the second"
    assert talk.window.found(expected("/expect utterance role=pal within 200ms")) is None
    assert talk.window.found(expected("/expect utterance role=pal within 400ms")) is found


def test_our_own_words_are_no_event_unless_the_role_is_asked_for() -> None:
    talk = Talk(interactions.respond("hello"))
    talk.come(utterance(1, 1, "user", "hello"))
    assert talk.window.found(expected("/expect utterance")) is None
    assert talk.window.found(expected("/expect utterance role=user")) is not None


def test_a_number_given_before_the_sending_was_caused_before() -> None:
    talk = Talk(interactions.interrupt(), utterance(1, 1, "pal", "a"), utterance(3, 1, "pal", "c"))
    talk.come(utterance(2, 1, "pal", "b"))
    assert talk.window.found(expected("/expect utterance")) is None
    talk.come(utterance(4, 1, "pal", "d"))
    found = talk.window.found(expected("/expect utterance"))
    assert found is not None
    assert found.event.text == "d"
