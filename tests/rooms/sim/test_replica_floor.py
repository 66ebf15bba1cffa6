"""Interruptions: what is typed and spoken while the PAL speaks or thinks."""

from __future__ import annotations

from tavus_cli.protocol.interactions import echo, interrupt, respond
from tests.kits.replica_kit import Sends, brief, of_type, run, script, texts


def test_interrupt_stops_it_and_shows_what_was_really_said() -> None:
    out = run(script('default = "One two three four."'), [(2, respond("x")), (5.5, interrupt())])
    assert brief(out)[-4:] == [
        "4 t1 pal streaming One",
        "5 t1 pal streaming One two",
        "5.5 t1 pal streaming!. One two",
        "5.5 t1 pal stopped_speaking!",
    ]
    assert texts(out) == ["One two three four."]  # the utterance has all that was intended
    assert brief(run(script('greeting = "Hi you."'), [(2, interrupt())]))[-1] == "2 t0 pal stopped_speaking!"


def test_interrupt_before_a_word_was_said_and_with_nothing_to_stop() -> None:
    out = run(script(), [(2, respond("x")), (3.5, interrupt()), (9, interrupt())])
    assert brief(out)[-2:] == ["3.5 t1 pal streaming!.", "3.5 t1 pal stopped_speaking!"]
    thinking = run(script(), [(2, respond("x")), (2.5, interrupt())])
    assert brief(thinking)[-1] == "2 t1 user utterance x"


def test_a_respond_cuts_the_current_speech_off() -> None:
    out = run(script('default = "One two."'), [(2, respond("a")), (4.5, respond("b"))])
    lines = brief(out)
    assert lines[lines.index("4.5 t1 pal stopped_speaking!") :][:3] == [
        "4.5 t1 pal stopped_speaking!",
        "4.5 t2 user utterance b",
        "5.5 t2 pal started_speaking",
    ]


def test_a_respond_that_waits_lets_the_old_answer_end_first() -> None:
    what = script('respond_waits = true\ndefault = ["One two three four.", "New."]')
    lines = brief(run(what, [(2, respond("a")), (4.5, respond("b"))]))
    assert lines[lines.index("4.5 t2 user utterance b") :] == [
        "4.5 t2 user utterance b",
        "5 t1 pal streaming One two",
        "6 t1 pal streaming One two three",
        "7 t1 pal streaming. One two three four.",
        "7 t1 pal stopped_speaking",
        "7.25 t2 pal started_speaking",
        "7.25 t2 pal utterance New.",
        "8.25 t2 pal streaming. New.",
        "8.25 t2 pal stopped_speaking",
    ]


def test_the_user_speaks_and_is_answered() -> None:
    out = run(script('[[at]]\nafter = 1\nuser = "How are you?"'), until=9)
    assert brief(out)[1:7] == [
        "2 t1 user started_speaking",
        "3 t1 user streaming How",
        "4 t1 user streaming How are",
        "5 t1 user streaming. How are you?",
        "5 t1 user stopped_speaking",
        "5 t1 user utterance How are you?",
    ]
    assert texts(out) == ["You said: How are you?"]
    assert len(of_type(out, "conversation.user.started_speaking")) == 1
    assert "properties" not in of_type(out, "conversation.user.stopped_speaking")[0]


def test_the_user_barges_in() -> None:
    what = script('default = "One two three four five."\n[[at]]\nafter = 4.5\nuser = "Wait!"')
    lines = brief(run(what, [(2, respond("x"))], until=7))
    assert lines[lines.index("5.5 t1 user started_speaking") :][:6] == [
        "5.5 t1 user started_speaking",
        "5.5 t1 pal streaming!. One two",
        "5.5 t1 pal stopped_speaking!",
        "6.5 t2 user streaming. Wait!",
        "6.5 t2 user stopped_speaking",
        "6.5 t2 user utterance Wait!",
    ]


def test_a_greeting_is_not_cut_off_by_the_user_but_by_what_is_typed() -> None:
    spoken = script('greeting = "One two three."\n[[at]]\nafter = 1\nuser = "Wait!"')
    assert "4.3 t0 pal stopped_speaking" in brief(run(spoken))
    typed = run(script('greeting = "One two three."'), [(2, respond("x"))])
    assert "2 t0 pal stopped_speaking!" in brief(typed)


def test_what_is_typed_ends_what_the_user_is_saying() -> None:
    what = script('[[at]]\nafter = 1\nuser = "One two three."')
    lines = brief(run(what, [(3.5, respond("typed"))], until=6))
    assert lines[3:] == [
        "3.5 t1 user streaming. One",
        "3.5 t1 user stopped_speaking",
        "3.5 t1 user utterance One",
        "3.5 t2 user utterance typed",
        "4.5 t2 pal started_speaking",
        "4.5 t2 pal utterance You said: typed",
        "5.5 t2 pal streaming You",
    ]


def test_interrupt_also_forgets_what_was_going_to_be_said() -> None:
    sends: Sends = [(2, echo("One two.")), (3, echo("Never.")), (3.5, interrupt())]
    assert texts(run(script(), sends)) == ["One two."]


def test_nothing_is_said_while_the_user_speaks() -> None:
    out = run(script('[[at]]\nafter = 1\nuser = "One two three."'), [(2.5, echo("Echo."))], until=9)
    lines = brief(out)
    assert lines.index("5 t1 user utterance One two three.") < lines.index("5.25 t1 pal utterance Echo.")
    assert texts(out) == ["Echo.", "You said: One two three."]


def test_an_answer_that_is_still_thought_about_is_not_given_once_the_user_speaks() -> None:
    out = run(script('[[at]]\nafter = 1.5\nuser = "Wait!"'), [(2, respond("x"))])
    assert texts(out) == ["You said: Wait!"]
    assert "2.5 t2 user started_speaking" in brief(out)


def test_a_shutdown_ends_what_everybody_is_saying() -> None:
    out = run(script('[[at]]\nafter = 1\nuser = "One two three."\n[[at]]\nafter = 2.5\nshutdown = "x"'))
    assert brief(out)[-3:] == ["3.5 t1 user stopped_speaking", "3.5 t1 user utterance One", "3.5 shutdown"]
