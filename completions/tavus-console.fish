# fish completion for tavus-console. Made from its command tree; do not edit.

# Whether the command is this one: "tail", "session start"; "" where none is given yet.
function __tavus_console_at
    set -l words (commandline -opc)
    set -l path $words[2]
    contains -- "$path" script session webhooks conversation auth config
    and set -a path $words[3]
    test "$path" = "$argv"
end

# The arguments before the cursor: no options, nor their values.
function __tavus_console_arguments
    set -l words (commandline -opc)
    set -l from 3
    contains -- "$words[2]" script session webhooks conversation auth config
    and set from 4
    set -l value 0
    for word in $words[$from..-1]
        if test $value = 1
            set value 0
        else if string match -q -- '-?*' $word
            contains -- $word --audio --aws-assume-role-arn --base-url --baseline --body --callback-url --color --context --conversation-id --conversation-name --conversational-context --count --custom-greeting --daily-proxy --document-id --document-retrieval-strategy --document-tag --face --filter --for --format --forward-to --from --gate --greeting --history --hold --host --html --idle --ignore --jobs --join-timeout --junit --keep --keep-in --key --language --languages --limit --listen --livekit-ws-url --max-barge-in-stop --max-call-duration --max-calls --max-concurrent --max-cost-minutes --max-dead-air --max-first-event --max-minutes --max-outage --max-participants --max-reply --max-reply-p50 --max-reply-p95 --max-talk-over --max-tool --max-tool-to-speech --max-worse --meeting-url --memory-store --min-barge-in-success --min-pass --name --only --otlp --output --pal --participant-absent-timeout --participant-left-timeout --persona --policy --port --public-host --query --queue --rate --ready-timeout --reconnect-timeout --record --recording-s3-bucket-name --recording-s3-bucket-region --recording-storage --repeat --replica --reply-timeout --report --results --role --room --run-timeout --send --shard --speed --status --target --theme --timeout --times --to --tool --tool-from --tool-log --tool-reply --tools --transcript --turn --until --wait --where -f -j -n -o
            and set value 1
        else
            printf '%s\n' $word
        end
    end
end

function __tavus_console_nth
    test (count (__tavus_console_arguments)) = $argv[1]
end

# Sessions that run here, conversations created here that have not ended, and those with a token kept here.
function __tavus_console_ids
    set -l user (id -u)
    set -l runtime "/run/user/$user"
    set -q XDG_RUNTIME_DIR
    and set runtime $XDG_RUNTIME_DIR
    set -l temporary /tmp
    set -q TMPDIR
    and set temporary $TMPDIR
    set -l state "$HOME/.local/state"
    set -q XDG_STATE_HOME
    and set state $XDG_STATE_HOME
    set -l folders "$runtime/tavus-console" "/run/user/$user/tavus-console" \
        "$temporary/runtime-$user/tavus-console" "$HOME/Library/Caches/TemporaryItems/tavus-console"
    set -q TAVUS_CONSOLE_RUNTIME
    and set folders $TAVUS_CONSOLE_RUNTIME
    for socket in $folders/*.sock
        string match -r -- '^[A-Za-z0-9][A-Za-z0-9_.-]*(?=\.sock$)' (string replace -r '.*/' '' -- $socket)
    end
    for note in $state/tavus-console/open/* "$HOME/Library/Application Support/tavus-console/open"/*
        test -f $note
        and string match -rg -- '"conversation_id": "(c[0-9a-z]+)"' <$note
    end
    for token in $state/tavus-console/tokens/* "$HOME/Library/Application Support/tavus-console/tokens"/*
        string match -r -- '^c[0-9a-z]+$' (string replace -r '.*/' '' -- $token)
    end
    return 0
end

function __tavus_console_targets
    set -l start (string replace -r '^["\']?sim:' '' -- (commandline -ct))
    or begin
        printf '%s\n' sim https://
        __tavus_console_ids
        return
    end
    for path in $start*
        test -d $path
        and set path $path/
        printf 'sim:%s\n' $path
    end
end

# Words of which several can be given, with commas.
function __tavus_console_list
    set -l start (string match -rg -- '^(?:--[^=]*=)?(.*,)' (commandline -ct))
    printf '%s\n' "$start"$argv
end

# Whether KIND is the last argument of send, and is this one.
function __tavus_console_kind
    set -l given (__tavus_console_arguments)
    set -l kinds respond echo interrupt context sensitivity tool-result confirm set-emotion raw
    test "$given[-1]" = $argv[1]
    or return 1
    test (count $given) = 1
    or begin
        test (count $given) = 2
        and not contains -- $given[1] $kinds
    end
end

# Whether KIND can come next.
function __tavus_console_needs_kind
    set -l given (__tavus_console_arguments)
    test (count $given) = 0
    or begin
        test (count $given) = 1
        and not contains -- $given[1] respond echo interrupt context sensitivity tool-result confirm set-emotion raw
    end
end

complete -c tavus-console -f
complete -c tavus-console -n '__tavus_console_at' -l version -d 'Print the version.'
complete -c tavus-console -n '__tavus_console_at' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at' -a join -d 'Join a conversation: events above, a prompt below.'
complete -c tavus-console -n '__tavus_console_at' -a tail -d 'Print the events of a conversation as they arrive.'
complete -c tavus-console -n '__tavus_console_at' -a send -d 'Send one interaction, and with --wait print the answer.'
complete -c tavus-console -n '__tavus_console_at' -a run -d 'Run scripts and check their expectations.'
complete -c tavus-console -n '__tavus_console_at' -a script -d 'Make a script from a recording.'
complete -c tavus-console -n '__tavus_console_at' -a session -d 'One connection that many commands share.'
complete -c tavus-console -n '__tavus_console_at' -a tools -d 'Answer tool calls with programs, URLs or mocks.'
complete -c tavus-console -n '__tavus_console_at' -a replay -d 'Print a recording as tail would have printed it.'
complete -c tavus-console -n '__tavus_console_at' -a report -d 'Show what happened in a recording, and how fast it was.'
complete -c tavus-console -n '__tavus_console_at' -a redact -d 'Print a recording without anybody\'s words, names or ids.'
complete -c tavus-console -n '__tavus_console_at' -a local -d 'Run Tavus on this machine: API, rooms, simulated PALs.'
complete -c tavus-console -n '__tavus_console_at' -a webhooks -d 'Receive, post and resend Tavus\' webhooks.'
complete -c tavus-console -n '__tavus_console_at' -a conversation -d 'Create, list, show and end conversations.'
complete -c tavus-console -n '__tavus_console_at' -a auth -d 'Store, show and remove the API key.'
complete -c tavus-console -n '__tavus_console_at' -a config -d 'Show and edit the settings.'
complete -c tavus-console -n '__tavus_console_at' -a doctor -d 'Check this machine and the API, and with --room a real room.'
complete -c tavus-console -n '__tavus_console_at' -a completion -d 'Print the completion script for a shell.'
complete -c tavus-console -n '__tavus_console_at' -a help -d 'List the pages of the manual, or show one.'
complete -c tavus-console -n '__tavus_console_at join' -l new -d 'Create a conversation (see --pal, --face, --body) and join it. It is ended if an error or a signal stops the console; after /quit it continues.'
complete -c tavus-console -n '__tavus_console_at join' -l end-on-exit -d 'End the conversation for everybody when you leave.'
complete -c tavus-console -n '__tavus_console_at join' -l max-minutes -r -d 'With --new: Tavus ends it after N minutes, even if this console is gone.'
complete -c tavus-console -n '__tavus_console_at join' -l body -r -F -d 'A file with the request\'s JSON, or - for standard input; options override it.'
complete -c tavus-console -n '__tavus_console_at join' -l record -r -F -d 'Write a recording to a new file.'
complete -c tavus-console -n '__tavus_console_at join' -l redact -d 'With --record: leave out everybody\'s words, names and ids.'
complete -c tavus-console -n '__tavus_console_at join' -l all -d 'Show everything: also twins (the same event under a second name), heartbeats and partials.'
complete -c tavus-console -n '__tavus_console_at join' -l no-all -d 'Not --all.'
complete -c tavus-console -n '__tavus_console_at join' -l partials -d 'Show streaming text as it grows (partials), not only the final text.'
complete -c tavus-console -n '__tavus_console_at join' -l no-partials -d 'Not --partials.'
complete -c tavus-console -n '__tavus_console_at join' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at join' -l ready-timeout -r -d 'How long to wait for the PAL to join. [default: 300s]'
complete -c tavus-console -n '__tavus_console_at join' -l reply-timeout -r -d 'From a pipe: how long to wait for a reply.'
complete -c tavus-console -n '__tavus_console_at join' -l color -r -a 'auto always never' -d 'Colours on standard output. [default: auto]'
complete -c tavus-console -n '__tavus_console_at join' -l theme -r -a 'auto dark light mono high-contrast' -d 'The colour theme. [default: auto]'
complete -c tavus-console -n '__tavus_console_at join' -l times -r -a 'auto full' -d 'auto: short times below 100 columns; full: with milliseconds.'
complete -c tavus-console -n '__tavus_console_at join' -l seq -d 'Show sequence numbers.'
complete -c tavus-console -n '__tavus_console_at join' -l history -r -d 'In a resident session: first show the last N rows from before you joined. [default: 200 on a terminal, 0 in a pipe]'
complete -c tavus-console -n '__tavus_console_at join' -l json -d 'Print an error as one JSON object on standard error.'
complete -c tavus-console -n '__tavus_console_at join' -l name -r -d 'Your name in the room. [default: tavus-console]'
complete -c tavus-console -n '__tavus_console_at join' -l join-timeout -r -d 'How long joining may take. [default: 45s]'
complete -c tavus-console -n '__tavus_console_at join' -l daily-proxy -r -d 'A reverse proxy that leads to Daily.'
complete -c tavus-console -n '__tavus_console_at join' -l no-reconnect -d 'Do not join again after being cut off.'
complete -c tavus-console -n '__tavus_console_at join' -l reconnect-timeout -r -d 'How long to try to join again after being cut off.'
complete -c tavus-console -n '__tavus_console_at join' -l conversation-id -r -a '(__tavus_console_ids)' -d 'The conversation\'s id, for a room that is not named after it.'
complete -c tavus-console -n '__tavus_console_at join' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at join' -l tool -r -d 'Answer calls to this tool, or glob, with a program or a URL. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at join' -l tools -r -F -d 'Tools from a TOML file.'
complete -c tavus-console -n '__tavus_console_at join' -l tool-reply -r -a 'echo append respond none' -d 'How to answer calls without an id. [default: append]'
complete -c tavus-console -n '__tavus_console_at join' -l tool-from -r -a 'pal any' -d 'Whose calls to run.'
complete -c tavus-console -n '__tavus_console_at join' -l max-calls -r -d 'At most this many calls run in a turn.'
complete -c tavus-console -n '__tavus_console_at join' -l cut -d 'Cut replies of over 4,096 bytes.'
complete -c tavus-console -n '__tavus_console_at join' -l tool-log -r -F -d 'Append a line of JSON to this file for each call.'
complete -c tavus-console -n '__tavus_console_at join' -l pal -l persona -r -d 'The PAL.'
complete -c tavus-console -n '__tavus_console_at join' -l face -l replica -r -d 'The face, in place of the PAL\'s own.'
complete -c tavus-console -n '__tavus_console_at join' -l chat -d 'Text only, no face.'
complete -c tavus-console -n '__tavus_console_at join' -l private -l require-auth -d 'Require a token to join the room.'
complete -c tavus-console -n '__tavus_console_at join' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at join; and __tavus_console_nth 0' -a '(__tavus_console_targets)'
complete -c tavus-console -n '__tavus_console_at tail' -s f -l format -r -a 'pretty jsonl' -d 'pretty, jsonl, or a template: \'{time} {role} {text}\'.'
complete -c tavus-console -n '__tavus_console_at tail' -l only -r -a '(__tavus_console_list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'Only these event types: utterance, \'replica.*\'.'
complete -c tavus-console -n '__tavus_console_at tail' -l ignore -r -a '(__tavus_console_list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'Leave out these event types.'
complete -c tavus-console -n '__tavus_console_at tail' -l where -r -d 'Only messages for which this expression is true.'
complete -c tavus-console -n '__tavus_console_at tail' -l turn -r -d 'Only this turn.'
complete -c tavus-console -n '__tavus_console_at tail' -l role -r -a 'user pal' -d 'Only events of this role.'
complete -c tavus-console -n '__tavus_console_at tail' -s n -l count -r -d 'End after N events.'
complete -c tavus-console -n '__tavus_console_at tail' -l until -r -a '(__tavus_console_list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'End after an event of this type.'
complete -c tavus-console -n '__tavus_console_at tail' -l partials -d 'Show streaming text as it grows (partials), not only the final text.'
complete -c tavus-console -n '__tavus_console_at tail' -l no-partials -d 'Not --partials.'
complete -c tavus-console -n '__tavus_console_at tail' -l all -d 'Show everything: also twins (the same event under a second name), heartbeats and partials.'
complete -c tavus-console -n '__tavus_console_at tail' -l no-all -d 'Not --all.'
complete -c tavus-console -n '__tavus_console_at tail' -l envelope -d 'With jsonl: put each message into an object with its time, turn and marks.'
complete -c tavus-console -n '__tavus_console_at tail' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at tail' -l times -r -a 'auto full' -d 'auto: short times below 100 columns; full: with milliseconds.'
complete -c tavus-console -n '__tavus_console_at tail' -l seq -d 'Show sequence numbers.'
complete -c tavus-console -n '__tavus_console_at tail' -l json -d 'The same as --format jsonl; errors are JSON too, on standard error.'
complete -c tavus-console -n '__tavus_console_at tail' -l for -r -d 'End after this time: 10s, 5m.'
complete -c tavus-console -n '__tavus_console_at tail' -l record -r -F -d 'Write a recording to a new file.'
complete -c tavus-console -n '__tavus_console_at tail' -l redact -d 'With --record: leave out everybody\'s words, names and ids.'
complete -c tavus-console -n '__tavus_console_at tail' -l otlp -r -F -d 'Send OpenTelemetry traces to this URL or file.'
complete -c tavus-console -n '__tavus_console_at tail' -l otlp-content -d 'Include what was said in the traces.'
complete -c tavus-console -n '__tavus_console_at tail' -l color -r -a 'auto always never' -d 'Colours on standard output. [default: auto]'
complete -c tavus-console -n '__tavus_console_at tail' -l theme -r -a 'auto dark light mono high-contrast' -d 'The colour theme. [default: auto]'
complete -c tavus-console -n '__tavus_console_at tail' -l history -r -d 'In a resident session: first show the last N rows from before you joined. [default: 200 on a terminal, 0 in a pipe]'
complete -c tavus-console -n '__tavus_console_at tail' -l name -r -d 'Your name in the room. [default: tavus-console]'
complete -c tavus-console -n '__tavus_console_at tail' -l join-timeout -r -d 'How long joining may take. [default: 45s]'
complete -c tavus-console -n '__tavus_console_at tail' -l daily-proxy -r -d 'A reverse proxy that leads to Daily.'
complete -c tavus-console -n '__tavus_console_at tail' -l no-reconnect -d 'Do not join again after being cut off.'
complete -c tavus-console -n '__tavus_console_at tail' -l reconnect-timeout -r -d 'How long to try to join again after being cut off.'
complete -c tavus-console -n '__tavus_console_at tail' -l conversation-id -r -a '(__tavus_console_ids)' -d 'The conversation\'s id, for a room that is not named after it.'
complete -c tavus-console -n '__tavus_console_at tail' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at tail' -l tool -r -d 'Answer calls to this tool, or glob, with a program or a URL. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at tail' -l tools -r -F -d 'Tools from a TOML file.'
complete -c tavus-console -n '__tavus_console_at tail' -l tool-reply -r -a 'echo append respond none' -d 'How to answer calls without an id. [default: append]'
complete -c tavus-console -n '__tavus_console_at tail' -l tool-from -r -a 'pal any' -d 'Whose calls to run.'
complete -c tavus-console -n '__tavus_console_at tail' -l max-calls -r -d 'At most this many calls run in a turn.'
complete -c tavus-console -n '__tavus_console_at tail' -l cut -d 'Cut replies of over 4,096 bytes.'
complete -c tavus-console -n '__tavus_console_at tail' -l tool-log -r -F -d 'Append a line of JSON to this file for each call.'
complete -c tavus-console -n '__tavus_console_at tail' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at tail; and __tavus_console_nth 0' -a '(__tavus_console_targets)'
complete -c tavus-console -n '__tavus_console_at send' -l wait -r -a '(__tavus_console_list reply append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'Wait for the reply to this turn, or for an event.'
complete -c tavus-console -n '__tavus_console_at send' -l timeout -r -d 'How long --wait waits.'
complete -c tavus-console -n '__tavus_console_at send' -l rate -r -d 'With - in place of KIND: at most N lines a second.'
complete -c tavus-console -n '__tavus_console_at send' -l ready-timeout -r -d 'How long to wait for the PAL to join. [default: 300s]'
complete -c tavus-console -n '__tavus_console_at send' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at send' -l json -d 'Print what was sent and answered, and errors, as JSON objects.'
complete -c tavus-console -n '__tavus_console_at send' -l name -r -d 'Your name in the room. [default: tavus-console]'
complete -c tavus-console -n '__tavus_console_at send' -l join-timeout -r -d 'How long joining may take. [default: 45s]'
complete -c tavus-console -n '__tavus_console_at send' -l daily-proxy -r -d 'A reverse proxy that leads to Daily.'
complete -c tavus-console -n '__tavus_console_at send' -l conversation-id -r -a '(__tavus_console_ids)' -d 'The conversation\'s id, for a room that is not named after it.'
complete -c tavus-console -n '__tavus_console_at send' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at send' -l audio -r -F -d 'echo: a WAV file'
complete -c tavus-console -n '__tavus_console_at send' -l completed -d 'context: mark the job in TEXT as completed'
complete -c tavus-console -n '__tavus_console_at send' -l error -d 'tool-result: the tool failed'
complete -c tavus-console -n '__tavus_console_at send' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_nth 0' -a '(__tavus_console_targets)'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a respond -d 'say TEXT as the user; a line without a slash does the same'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a echo -d 'make the PAL say exactly this'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a interrupt -d 'stop the PAL\'s speech'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a context -d 'add to the PAL\'s context, or replace it, without speech'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_kind context' -a 'append overwrite'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a sensitivity -d 'set turn taking; VALUE is superlow, verylow, low, medium, high, auto'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_kind sensitivity' -a 'pause=superlow pause=verylow pause=low pause=medium pause=high pause=auto interrupt=superlow interrupt=verylow interrupt=low interrupt=medium interrupt=high interrupt=auto'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a tool-result -d 'answer a tool call; OUTPUT is text or a JSON object'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a confirm -d 'confirm a pending objective'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a set-emotion -d 'set the PAL\'s emotion, e.g. happiness (unverified over Daily)'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_kind set-emotion' -a 'neutral happiness sadness anger fear surprise disgust contempt'
complete -c tavus-console -n '__tavus_console_at send; and __tavus_console_needs_kind' -a raw -d 'send any JSON object as a message, unchanged'
complete -c tavus-console -n '__tavus_console_at run' -l target -r -a '(__tavus_console_targets)' -d 'Run on this target too. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at run' -l check -d 'Only check the scripts for mistakes.'
complete -c tavus-console -n '__tavus_console_at run' -l keep-going -d 'Continue after a failure.'
complete -c tavus-console -n '__tavus_console_at run' -s v -l verbose -d 'Show the conversation on standard error as it happens.'
complete -c tavus-console -n '__tavus_console_at run' -l timeout -r -d 'How long an expectation waits if it has no within.'
complete -c tavus-console -n '__tavus_console_at run' -l max-reply -r -d 'Fail if a reply takes longer: 1500ms.'
complete -c tavus-console -n '__tavus_console_at run' -l new -d 'Create a conversation for each run (see --pal, --face, --body), and end it after the run.'
complete -c tavus-console -n '__tavus_console_at run' -l max-cost-minutes -r -d 'With --new: create no more once N minutes are billed, or may be. [default: 30]'
complete -c tavus-console -n '__tavus_console_at run' -l body -r -F -d 'A file with the request\'s JSON, or - for standard input; options override it.'
complete -c tavus-console -n '__tavus_console_at run' -l report -r -F -d 'Write an HTML report of what happened.'
complete -c tavus-console -n '__tavus_console_at run' -l redact -d 'With --record: leave out everybody\'s words, names and ids.'
complete -c tavus-console -n '__tavus_console_at run' -l otlp -r -F -d 'Send OpenTelemetry traces to this URL or file.'
complete -c tavus-console -n '__tavus_console_at run' -l otlp-content -d 'Include what was said in the traces.'
complete -c tavus-console -n '__tavus_console_at run' -l junit -r -F -d 'Write a report as JUnit XML.'
complete -c tavus-console -n '__tavus_console_at run' -l record -r -F -d 'Write a recording to a new file.'
complete -c tavus-console -n '__tavus_console_at run' -l ready-timeout -r -d 'How long to wait for the PAL to join. [default: 300s]'
complete -c tavus-console -n '__tavus_console_at run' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at run' -l color -r -a 'auto always never' -d 'Colours on standard output. [default: auto]'
complete -c tavus-console -n '__tavus_console_at run' -l theme -r -a 'auto dark light mono high-contrast' -d 'The colour theme. [default: auto]'
complete -c tavus-console -n '__tavus_console_at run' -l json -d 'Print one JSON object for each run, and errors as JSON too.'
complete -c tavus-console -n '__tavus_console_at run' -l name -r -d 'Your name in the room. [default: tavus-console]'
complete -c tavus-console -n '__tavus_console_at run' -l join-timeout -r -d 'How long joining may take. [default: 45s]'
complete -c tavus-console -n '__tavus_console_at run' -l daily-proxy -r -d 'A reverse proxy that leads to Daily.'
complete -c tavus-console -n '__tavus_console_at run' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at run' -l repeat -r -d 'Run each script N times.'
complete -c tavus-console -n '__tavus_console_at run' -s j -l jobs -r -d 'Run at most N at once.'
complete -c tavus-console -n '__tavus_console_at run' -l run-timeout -r -d 'How long a run may take. [default: 5m]'
complete -c tavus-console -n '__tavus_console_at run' -l min-pass -r -d 'The share of its runs that a script must pass on a target: 0.8, 80%. [default: all]'
complete -c tavus-console -n '__tavus_console_at run' -l filter -r -d 'Only the scripts whose name or path matches.'
complete -c tavus-console -n '__tavus_console_at run' -l shard -r -d 'Run the I-th of N parts of the suite, for example one on each machine.'
complete -c tavus-console -n '__tavus_console_at run' -l fail-fast -d 'End after the first run that fails.'
complete -c tavus-console -n '__tavus_console_at run' -l results -r -F -d 'Write a line of JSON for each run.'
complete -c tavus-console -n '__tavus_console_at run' -l baseline -r -F -d 'Compare with an earlier --results: newly failing, fixed, slower.'
complete -c tavus-console -n '__tavus_console_at run' -l keep -r -a 'failed all' -d 'Keep the recordings of these runs in --keep-in.'
complete -c tavus-console -n '__tavus_console_at run' -l keep-in -r -a '(__fish_complete_directories)' -d 'The folder for --keep.'
complete -c tavus-console -n '__tavus_console_at run' -l tool -r -d 'Answer calls to this tool, or glob, with a program or a URL. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at run' -l tools -r -F -d 'Tools from a TOML file.'
complete -c tavus-console -n '__tavus_console_at run' -l tool-reply -r -a 'echo append respond none' -d 'How to answer calls without an id. [default: append]'
complete -c tavus-console -n '__tavus_console_at run' -l tool-from -r -a 'pal any' -d 'Whose calls to run.'
complete -c tavus-console -n '__tavus_console_at run' -l max-calls -r -d 'At most this many calls run in a turn.'
complete -c tavus-console -n '__tavus_console_at run' -l cut -d 'Cut replies of over 4,096 bytes.'
complete -c tavus-console -n '__tavus_console_at run' -l tool-log -r -F -d 'Append a line of JSON to this file for each call.'
complete -c tavus-console -n '__tavus_console_at run' -l pal -l persona -r -d 'The PAL.'
complete -c tavus-console -n '__tavus_console_at run' -l face -l replica -r -d 'The face, in place of the PAL\'s own.'
complete -c tavus-console -n '__tavus_console_at run' -l chat -d 'Text only, no face.'
complete -c tavus-console -n '__tavus_console_at run' -l private -l require-auth -d 'Require a token to join the room.'
complete -c tavus-console -n '__tavus_console_at run' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at run' -F -a '(__tavus_console_targets)'
complete -c tavus-console -n '__tavus_console_at script' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at script' -a from -d 'Print a script that repeats a recording.'
complete -c tavus-console -n '__tavus_console_at script from' -s o -l output -r -F -d 'Write the script to this file.'
complete -c tavus-console -n '__tavus_console_at script from' -l words -d 'Also expect the PAL\'s words and the values of tool arguments.'
complete -c tavus-console -n '__tavus_console_at script from' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at script from' -l json -d 'Print an error as one JSON object on standard error.'
complete -c tavus-console -n '__tavus_console_at script from' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at script from; and __tavus_console_nth 0' -F
complete -c tavus-console -n '__tavus_console_at session' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at session' -a start -d 'Join and stay in the background.'
complete -c tavus-console -n '__tavus_console_at session' -a list -d 'List the sessions on this machine.'
complete -c tavus-console -n '__tavus_console_at session' -a stop -d 'Leave the room and stop the session.'
complete -c tavus-console -n '__tavus_console_at session start' -l new -d 'Create a conversation (see --pal, --face, --body) and join it. It is ended if it cannot be joined; else it continues until it is ended (session stop --end).'
complete -c tavus-console -n '__tavus_console_at session start' -l max-minutes -r -d 'With --new: Tavus ends it after N minutes, even if this console is gone.'
complete -c tavus-console -n '__tavus_console_at session start' -l body -r -F -d 'A file with the request\'s JSON, or - for standard input; options override it.'
complete -c tavus-console -n '__tavus_console_at session start' -l record -r -F -d 'Write a recording to a new file.'
complete -c tavus-console -n '__tavus_console_at session start' -l redact -d 'With --record: leave out everybody\'s words, names and ids.'
complete -c tavus-console -n '__tavus_console_at session start' -l idle -r -d 'Leave after this long without a client; 0: never.'
complete -c tavus-console -n '__tavus_console_at session start' -l queue -r -d 'How many messages to queue for a client that does not read.'
complete -c tavus-console -n '__tavus_console_at session start' -l json -d 'Print the session, and errors, as JSON objects.'
complete -c tavus-console -n '__tavus_console_at session start' -l otlp -r -F -d 'Send OpenTelemetry traces to this URL or file.'
complete -c tavus-console -n '__tavus_console_at session start' -l otlp-content -d 'Include what was said in the traces.'
complete -c tavus-console -n '__tavus_console_at session start' -l name -r -d 'Your name in the room. [default: tavus-console]'
complete -c tavus-console -n '__tavus_console_at session start' -l join-timeout -r -d 'How long joining may take. [default: 45s]'
complete -c tavus-console -n '__tavus_console_at session start' -l daily-proxy -r -d 'A reverse proxy that leads to Daily.'
complete -c tavus-console -n '__tavus_console_at session start' -l no-reconnect -d 'Do not join again after being cut off.'
complete -c tavus-console -n '__tavus_console_at session start' -l reconnect-timeout -r -d 'How long to try to join again after being cut off.'
complete -c tavus-console -n '__tavus_console_at session start' -l conversation-id -r -a '(__tavus_console_ids)' -d 'The conversation\'s id, for a room that is not named after it.'
complete -c tavus-console -n '__tavus_console_at session start' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at session start' -l tool -r -d 'Answer calls to this tool, or glob, with a program or a URL. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at session start' -l tools -r -F -d 'Tools from a TOML file.'
complete -c tavus-console -n '__tavus_console_at session start' -l tool-reply -r -a 'echo append respond none' -d 'How to answer calls without an id. [default: append]'
complete -c tavus-console -n '__tavus_console_at session start' -l tool-from -r -a 'pal any' -d 'Whose calls to run.'
complete -c tavus-console -n '__tavus_console_at session start' -l max-calls -r -d 'At most this many calls run in a turn.'
complete -c tavus-console -n '__tavus_console_at session start' -l cut -d 'Cut replies of over 4,096 bytes.'
complete -c tavus-console -n '__tavus_console_at session start' -l tool-log -r -F -d 'Append a line of JSON to this file for each call.'
complete -c tavus-console -n '__tavus_console_at session start' -l pal -l persona -r -d 'The PAL.'
complete -c tavus-console -n '__tavus_console_at session start' -l face -l replica -r -d 'The face, in place of the PAL\'s own.'
complete -c tavus-console -n '__tavus_console_at session start' -l chat -d 'Text only, no face.'
complete -c tavus-console -n '__tavus_console_at session start' -l private -l require-auth -d 'Require a token to join the room.'
complete -c tavus-console -n '__tavus_console_at session start' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at session start; and __tavus_console_nth 0' -a '(__tavus_console_targets)'
complete -c tavus-console -n '__tavus_console_at session list' -l json -d 'Print one JSON object for each session.'
complete -c tavus-console -n '__tavus_console_at session list' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at session stop' -l all -d 'Stop all sessions.'
complete -c tavus-console -n '__tavus_console_at session stop' -l end -d 'Also end the conversation, for everybody.'
complete -c tavus-console -n '__tavus_console_at session stop' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at session stop' -l json -d 'Print an error as one JSON object on standard error.'
complete -c tavus-console -n '__tavus_console_at session stop' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at session stop; and __tavus_console_nth 0' -a '(__tavus_console_ids)'
complete -c tavus-console -n '__tavus_console_at tools' -l dry-run -d 'Show what would run, without running or answering anything.'
complete -c tavus-console -n '__tavus_console_at tools' -l rerun -d 'Run the tools again for the calls in a recording.'
complete -c tavus-console -n '__tavus_console_at tools' -l listen -r -d 'Serve the tools over HTTP on this machine instead of joining; 0: any port.'
complete -c tavus-console -n '__tavus_console_at tools' -l public-host -r -d 'With --listen: accept requests for this host name, such as a tunnel\'s. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at tools' -l record -r -F -d 'Write a recording to a new file.'
complete -c tavus-console -n '__tavus_console_at tools' -l redact -d 'With --record: leave out everybody\'s words, names and ids.'
complete -c tavus-console -n '__tavus_console_at tools' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at tools' -l json -d 'Print one JSON object for each call, and errors as JSON too.'
complete -c tavus-console -n '__tavus_console_at tools' -l name -r -d 'Your name in the room. [default: tavus-console]'
complete -c tavus-console -n '__tavus_console_at tools' -l join-timeout -r -d 'How long joining may take. [default: 45s]'
complete -c tavus-console -n '__tavus_console_at tools' -l daily-proxy -r -d 'A reverse proxy that leads to Daily.'
complete -c tavus-console -n '__tavus_console_at tools' -l conversation-id -r -a '(__tavus_console_ids)' -d 'The conversation\'s id, for a room that is not named after it.'
complete -c tavus-console -n '__tavus_console_at tools' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at tools' -l tool -r -d 'Answer calls to this tool, or glob, with a program or a URL. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at tools' -l tools -r -F -d 'Tools from a TOML file.'
complete -c tavus-console -n '__tavus_console_at tools' -l tool-reply -r -a 'echo append respond none' -d 'How to answer calls without an id. [default: append]'
complete -c tavus-console -n '__tavus_console_at tools' -l tool-from -r -a 'pal any' -d 'Whose calls to run.'
complete -c tavus-console -n '__tavus_console_at tools' -l max-calls -r -d 'At most this many calls run in a turn.'
complete -c tavus-console -n '__tavus_console_at tools' -l cut -d 'Cut replies of over 4,096 bytes.'
complete -c tavus-console -n '__tavus_console_at tools' -l tool-log -r -F -d 'Append a line of JSON to this file for each call.'
complete -c tavus-console -n '__tavus_console_at tools' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at tools; and __tavus_console_nth 0' -a '(__tavus_console_targets)'
complete -c tavus-console -n '__tavus_console_at replay' -s f -l format -r -a 'pretty jsonl' -d 'pretty, jsonl, or a template: \'{time} {role} {text}\'.'
complete -c tavus-console -n '__tavus_console_at replay' -l only -r -a '(__tavus_console_list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'Only these event types: utterance, \'replica.*\'.'
complete -c tavus-console -n '__tavus_console_at replay' -l ignore -r -a '(__tavus_console_list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'Leave out these event types.'
complete -c tavus-console -n '__tavus_console_at replay' -l where -r -d 'Only messages for which this expression is true.'
complete -c tavus-console -n '__tavus_console_at replay' -l turn -r -d 'Only this turn.'
complete -c tavus-console -n '__tavus_console_at replay' -l role -r -a 'user pal' -d 'Only events of this role.'
complete -c tavus-console -n '__tavus_console_at replay' -s n -l count -r -d 'End after N events.'
complete -c tavus-console -n '__tavus_console_at replay' -l until -r -a '(__tavus_console_list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'End after an event of this type.'
complete -c tavus-console -n '__tavus_console_at replay' -l partials -d 'Show streaming text as it grows (partials), not only the final text.'
complete -c tavus-console -n '__tavus_console_at replay' -l no-partials -d 'Not --partials.'
complete -c tavus-console -n '__tavus_console_at replay' -l all -d 'Show everything: also twins (the same event under a second name), heartbeats and partials.'
complete -c tavus-console -n '__tavus_console_at replay' -l no-all -d 'Not --all.'
complete -c tavus-console -n '__tavus_console_at replay' -l envelope -d 'With jsonl: put each message into an object with its time, turn and marks.'
complete -c tavus-console -n '__tavus_console_at replay' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at replay' -l times -r -a 'auto full' -d 'auto: short times below 100 columns; full: with milliseconds.'
complete -c tavus-console -n '__tavus_console_at replay' -l seq -d 'Show sequence numbers.'
complete -c tavus-console -n '__tavus_console_at replay' -l json -d 'The same as --format jsonl; errors are JSON too, on standard error.'
complete -c tavus-console -n '__tavus_console_at replay' -l speed -r -a '1 4 max' -d 'How fast. [default: max, as fast as it can be read; with -i 1]'
complete -c tavus-console -n '__tavus_console_at replay' -l from -r -d 'Where to begin: 12:03:11, +90s, seq:120, turn:3, ISO time.'
complete -c tavus-console -n '__tavus_console_at replay' -l to -r -d 'Where to end.'
complete -c tavus-console -n '__tavus_console_at replay' -l color -r -a 'auto always never' -d 'Colours on standard output. [default: auto]'
complete -c tavus-console -n '__tavus_console_at replay' -l theme -r -a 'auto dark light mono high-contrast' -d 'The colour theme. [default: auto]'
complete -c tavus-console -n '__tavus_console_at replay' -s i -l interactive -d 'Open the recording in the console: step, play, seek, inspect.'
complete -c tavus-console -n '__tavus_console_at replay' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at replay; and __tavus_console_nth 0' -F
complete -c tavus-console -n '__tavus_console_at report' -l html -r -F -d 'Write one self-contained HTML file.'
complete -c tavus-console -n '__tavus_console_at report' -l markdown -d 'Print Markdown.'
complete -c tavus-console -n '__tavus_console_at report' -l transcript -r -a 'srt vtt md txt' -d 'Print only what was said.'
complete -c tavus-console -n '__tavus_console_at report' -l baseline -r -F -d 'Compare with this recording. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at report' -l max-worse -r -d 'Fail if a measure is worse than the baseline by more than this: 10%.'
complete -c tavus-console -n '__tavus_console_at report' -l otlp -r -F -d 'Send OpenTelemetry traces to this URL or file.'
complete -c tavus-console -n '__tavus_console_at report' -l otlp-content -d 'Include what was said in the traces.'
complete -c tavus-console -n '__tavus_console_at report' -l hold -r -d 'How long to wait for a missing sequence number before showing what follows. [default: 250ms]'
complete -c tavus-console -n '__tavus_console_at report' -l color -r -a 'auto always never' -d 'Colours on standard output. [default: auto]'
complete -c tavus-console -n '__tavus_console_at report' -l theme -r -a 'auto dark light mono high-contrast' -d 'The colour theme. [default: auto]'
complete -c tavus-console -n '__tavus_console_at report' -l json -d 'Print one JSON object, and errors as JSON too.'
complete -c tavus-console -n '__tavus_console_at report' -l gate -r -d 'A limit for a measure: reply_p95<=1.2s, gaps<=0. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at report' -l max-reply -r -d 'Fail unless reply_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-reply-p50 -r -d 'Fail unless reply_p50 is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-reply-p95 -r -d 'Fail unless reply_p95 is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-first-event -r -d 'Fail unless reply_first_event_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-tool -r -d 'Fail unless tool_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-tool-to-speech -r -d 'Fail unless tool_to_speech_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-barge-in-stop -r -d 'Fail unless barge_in_stop_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-talk-over -r -d 'Fail unless talk_over_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-dead-air -r -d 'Fail unless dead_air_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l max-outage -r -d 'Fail unless outage_max is at most this.'
complete -c tavus-console -n '__tavus_console_at report' -l min-barge-in-success -r -d 'Fail unless barge_in_success is at least this: 0.9 or 90%.'
complete -c tavus-console -n '__tavus_console_at report' -l no-gaps -d 'Fail unless gaps is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-late -d 'Fail unless late is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-duplicates -d 'Fail unless duplicates is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-outages -d 'Fail unless outages is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-unreplied -d 'Fail unless unreplied is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-unanswered-calls -d 'Fail unless unanswered_calls is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-failed-barge-ins -d 'Fail unless barge_ins_failed is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-unknown-types -d 'Fail unless unknown_types is 0.'
complete -c tavus-console -n '__tavus_console_at report' -l no-unknown-fields -d 'Fail unless unknown_fields is 0.'
complete -c tavus-console -n '__tavus_console_at report' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at report' -F
complete -c tavus-console -n '__tavus_console_at redact' -l key -r -d 'Give the same pseudonyms in every run with this key. Without it they differ in each run.'
complete -c tavus-console -n '__tavus_console_at redact' -l json -d 'Print an error as one JSON object on standard error.'
complete -c tavus-console -n '__tavus_console_at redact' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at redact; and __tavus_console_nth 0' -F
complete -c tavus-console -n '__tavus_console_at local' -l port -r -d 'The port of the API; 0: any free port.'
complete -c tavus-console -n '__tavus_console_at local' -l pal -r -d 'The script of a PAL, and sim\'s parameters; * is any other PAL. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at local' -l speed -r -a 'max' -d 'How fast PALs talk: 1 is lifelike, max answers at once.'
complete -c tavus-console -n '__tavus_console_at local' -l max-concurrent -r -d 'At most this many conversations may be active at once.'
complete -c tavus-console -n '__tavus_console_at local' -l record -r -a '(__fish_complete_directories)' -d 'Record every conversation in this folder.'
complete -c tavus-console -n '__tavus_console_at local' -l env -d 'Print the shell variables for the running server, and exit.'
complete -c tavus-console -n '__tavus_console_at local' -l host -r -d 'Serve on this address instead of only this machine.'
complete -c tavus-console -n '__tavus_console_at local' -l public-host -r -d 'Accept requests for this host name, such as a tunnel\'s.'
complete -c tavus-console -n '__tavus_console_at local' -l allow-remote -d 'Post webhooks to other machines too.'
complete -c tavus-console -n '__tavus_console_at local' -s q -l quiet -d 'Do not log requests and webhooks.'
complete -c tavus-console -n '__tavus_console_at local' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at webhooks' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at webhooks' -a listen -d 'Receive webhooks and show them.'
complete -c tavus-console -n '__tavus_console_at webhooks' -a trigger -d 'Post an example webhook of one type to a handler.'
complete -c tavus-console -n '__tavus_console_at webhooks' -a resend -d 'Post recorded webhooks to a handler, in order.'
complete -c tavus-console -n '__tavus_console_at webhooks' -a pull -d 'Post a conversation\'s webhooks to a handler.'
complete -c tavus-console -n '__tavus_console_at webhooks listen' -l port -r -d 'The port; 0: any free port.'
complete -c tavus-console -n '__tavus_console_at webhooks listen' -l forward-to -r -d 'Also post each webhook to this handler, and return its answer.'
complete -c tavus-console -n '__tavus_console_at webhooks listen' -l record -r -F -d 'Append each webhook to this file, one JSON object a line.'
complete -c tavus-console -n '__tavus_console_at webhooks listen' -l host -r -d 'Listen on this address instead of only this machine.'
complete -c tavus-console -n '__tavus_console_at webhooks listen' -l public-host -r -d 'Accept webhooks for this host name, such as a tunnel\'s.'
complete -c tavus-console -n '__tavus_console_at webhooks listen' -l allow-remote -d 'Allow a handler on another machine.'
complete -c tavus-console -n '__tavus_console_at webhooks listen' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at webhooks trigger' -l to -r -d 'The handler to post to.'
complete -c tavus-console -n '__tavus_console_at webhooks trigger' -l conversation-id -r -a '(__tavus_console_ids)' -d 'The conversation id in the webhook.'
complete -c tavus-console -n '__tavus_console_at webhooks trigger' -l allow-remote -d 'Allow a handler on another machine.'
complete -c tavus-console -n '__tavus_console_at webhooks trigger' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at webhooks trigger; and __tavus_console_nth 0' -a 'system.replica_joined system.pal_joined system.shutdown application.transcription_ready application.recording_ready application.recording_copy_failed application.perception_analysis application.perception_unavailable application.post_call_action_executed objective guardrail'
complete -c tavus-console -n '__tavus_console_at webhooks resend' -l to -r -d 'The handler to post to.'
complete -c tavus-console -n '__tavus_console_at webhooks resend' -l only -r -a '(__tavus_console_list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming)' -d 'Only these types: shutdown, \'system.*\'.'
complete -c tavus-console -n '__tavus_console_at webhooks resend' -l allow-remote -d 'Allow a handler on another machine.'
complete -c tavus-console -n '__tavus_console_at webhooks resend' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at webhooks resend; and __tavus_console_nth 0' -F
complete -c tavus-console -n '__tavus_console_at webhooks pull' -l forward-to -r -d 'The handler to post to.'
complete -c tavus-console -n '__tavus_console_at webhooks pull' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at webhooks pull' -l allow-remote -d 'Allow a handler on another machine.'
complete -c tavus-console -n '__tavus_console_at webhooks pull' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at webhooks pull; and __tavus_console_nth 0' -a '(__tavus_console_ids)'
complete -c tavus-console -n '__tavus_console_at conversation' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at conversation' -a create -d 'Create a conversation. It is billed until it ends.'
complete -c tavus-console -n '__tavus_console_at conversation' -a list -d 'List the conversations of your account.'
complete -c tavus-console -n '__tavus_console_at conversation' -a get -d 'Show one conversation.'
complete -c tavus-console -n '__tavus_console_at conversation' -a end -d 'End conversations for everybody in them. Asks first, on a terminal.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l body -r -F -d 'A file with the request\'s JSON, or - for standard input; options override it.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l show-token -d 'Also print the token of a private room; join ID finds it either way.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at conversation create' -l query -r -d 'Print only what this expression selects; text without quotes.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l pal -l persona -r -d 'The PAL.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l face -l replica -r -d 'The face, in place of the PAL\'s own.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l conversation-name -r -d 'A name for lists.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l context -l conversational-context -r -d 'What the PAL knows about this conversation.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l greeting -l custom-greeting -r -d 'What the PAL says first.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l enable-dynamic-greeting -d 'Let the model write the greeting.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l chat -d 'Text only, no face.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l audio-only -d 'Audio only, no video.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l private -l require-auth -d 'Require a token to join the room.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l test-mode -d 'Create a conversation that has already ended: no PAL, no cost.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l max-participants -r -d 'At most this many participants, including the PAL; 2 or more.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l callback-url -r -d 'Where Tavus posts webhooks.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l meeting-url -r -d 'A Meet, Zoom or Teams call to join instead.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l memory-store -r -d 'A memory store. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l document-id -r -d 'A document. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l document-tag -r -d 'Documents by tag. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l document-retrieval-strategy -r -a 'speed balanced quality' -d 'How documents are searched.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l policy -r -d 'The data policy.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l max-call-duration -r -d 'How long it may last: 10m. [default: 1h]'
complete -c tavus-console -n '__tavus_console_at conversation create' -l participant-left-timeout -r -d 'How long it continues after the last guest has left.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l participant-absent-timeout -r -d 'How long it waits for the first guest.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l enable-recording -d 'Tavus records it.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l recording-storage -r -d 'Where Tavus keeps recordings.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l recording-s3-bucket-name -r -d 'The older option for --recording-storage: bucket.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l recording-s3-bucket-region -r -d 'The older option: region.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l aws-assume-role-arn -r -d 'The older option: role.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l enable-closed-captions -d 'Closed captions.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l apply-greenscreen -d 'A green background.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l language -r -d 'A language\'s full name, or multilingual.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l languages -r -d 'One of several languages. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at conversation create' -l livekit-ws-url -r -d 'A LiveKit room; its token (a secret) goes into --body.'
complete -c tavus-console -n '__tavus_console_at conversation create' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at conversation list' -l status -r -a 'active ended' -d 'Only conversations with this status; active ones are billed.'
complete -c tavus-console -n '__tavus_console_at conversation list' -s n -l limit -r -d 'At most N.'
complete -c tavus-console -n '__tavus_console_at conversation list' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at conversation list' -l query -r -d 'Print only what this expression selects; text without quotes.'
complete -c tavus-console -n '__tavus_console_at conversation list' -l color -r -a 'auto always never' -d 'Colours on standard output. [default: auto]'
complete -c tavus-console -n '__tavus_console_at conversation list' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at conversation list' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at conversation get' -s v -l verbose -d 'Also show what happened in it.'
complete -c tavus-console -n '__tavus_console_at conversation get' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at conversation get' -l query -r -d 'Print only what this expression selects; text without quotes.'
complete -c tavus-console -n '__tavus_console_at conversation get' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at conversation get' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at conversation get; and __tavus_console_nth 0' -a '(__tavus_console_ids)'
complete -c tavus-console -n '__tavus_console_at conversation end' -l all-active -d 'End all active conversations.'
complete -c tavus-console -n '__tavus_console_at conversation end' -s y -l yes -d 'Do not ask.'
complete -c tavus-console -n '__tavus_console_at conversation end' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at conversation end' -l query -r -d 'Print only what this expression selects; text without quotes.'
complete -c tavus-console -n '__tavus_console_at conversation end' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at conversation end' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at conversation end' -a '(__tavus_console_ids)'
complete -c tavus-console -n '__tavus_console_at auth' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at auth' -a login -d 'Store an API key in the keyring. Prompts without echo, or reads it from standard input.'
complete -c tavus-console -n '__tavus_console_at auth' -a status -d 'Show where the API key comes from, and its last four characters.'
complete -c tavus-console -n '__tavus_console_at auth' -a logout -d 'Remove the API key from the keyring.'
complete -c tavus-console -n '__tavus_console_at auth login' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at auth login' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at auth login' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at auth status' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at auth status' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at auth logout' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at auth logout' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at config' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at config' -a path -d 'Print the path of the settings file.'
complete -c tavus-console -n '__tavus_console_at config' -a edit -d 'Open the settings in $VISUAL or $EDITOR, and check them afterwards.'
complete -c tavus-console -n '__tavus_console_at config' -a show -d 'Show every setting, its value, and where the value comes from.'
complete -c tavus-console -n '__tavus_console_at config path' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at config edit' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at config show' -l json -d 'Print JSON on a terminal too, and errors as JSON.'
complete -c tavus-console -n '__tavus_console_at config show' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at doctor' -l room -r -a '(__tavus_console_targets)' -d 'Join this room: its URL, a conversation id, or sim.'
complete -c tavus-console -n '__tavus_console_at doctor' -l send -r -d 'Send a line as typed in join: \'/respond hi\'. Can be repeated.'
complete -c tavus-console -n '__tavus_console_at doctor' -l for -r -d 'How long to count events.'
complete -c tavus-console -n '__tavus_console_at doctor' -l ready-timeout -r -d 'How long to wait for the PAL.'
complete -c tavus-console -n '__tavus_console_at doctor' -l color -r -a 'auto always never' -d 'Colours on standard output. [default: auto]'
complete -c tavus-console -n '__tavus_console_at doctor' -l json -d 'Print all findings as one JSON object.'
complete -c tavus-console -n '__tavus_console_at doctor' -l name -r -d 'Your name in the room. [default: tavus-console]'
complete -c tavus-console -n '__tavus_console_at doctor' -l join-timeout -r -d 'How long joining may take. [default: 45s]'
complete -c tavus-console -n '__tavus_console_at doctor' -l daily-proxy -r -d 'A reverse proxy that leads to Daily.'
complete -c tavus-console -n '__tavus_console_at doctor' -l conversation-id -r -a '(__tavus_console_ids)' -d 'The conversation\'s id, for a room that is not named after it.'
complete -c tavus-console -n '__tavus_console_at doctor' -l base-url -r -d 'The root of Tavus\' API, without /v2. [default: $TAVUS_API_BASE_URL]'
complete -c tavus-console -n '__tavus_console_at doctor' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at completion' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at completion; and __tavus_console_nth 0' -a 'bash zsh fish'
complete -c tavus-console -n '__tavus_console_at help' -s h -l help -d 'Show help and exit.'
complete -c tavus-console -n '__tavus_console_at help; and __tavus_console_nth 0' -a 'commands configuration traps scripts testing tools recordings report fleet sim local themes live-check protocol daily architecture join tail send run script session tools replay report redact local webhooks conversation auth config doctor completion help'
