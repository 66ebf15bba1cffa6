# bash completion for tavus-console. Made from its command tree; do not edit.
_tavus_console_words() {
    local IFS=$' \t\n'
    COMPREPLY+=($(compgen -W "$1" -- "$2"))
}
_tavus_console_files() {
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$1"))
}
_tavus_console() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} path="" word
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "${path:+$path }$word" in
        "doctor"|"join"|"tail"|"replay"|"send"|"completion"|"run"|"report"|"local"|"help"|"conversation"|"conversation create"|"conversation list"|"conversation get"|"conversation end"|"auth"|"auth login"|"auth status"|"auth logout"|"config"|"config path"|"config edit"|"config show"|"session"|"session start"|"session list"|"session stop"|"webhooks"|"webhooks listen"|"webhooks trigger"|"webhooks resend"|"webhooks pull") path="${path:+$path }$word" ;;
        esac
    done
    case "$path $previous" in
        "doctor --room") :; return ;;
        "doctor --send") :; return ;;
        "doctor --for") :; return ;;
        "doctor --ready-timeout") :; return ;;
        "doctor --name") :; return ;;
        "doctor --join-timeout") :; return ;;
        "doctor --daily-proxy") :; return ;;
        "doctor --conversation-id") :; return ;;
        "doctor --base-url") :; return ;;
        "doctor --color") _tavus_console_words "auto always never" "$current"; return ;;
        "join --body") _tavus_console_files "$current"; return ;;
        "join --name") :; return ;;
        "join --record") _tavus_console_files "$current"; return ;;
        "join --hold") :; return ;;
        "join --join-timeout") :; return ;;
        "join --ready-timeout") :; return ;;
        "join --reply-timeout") :; return ;;
        "join --daily-proxy") :; return ;;
        "join --reconnect-timeout") :; return ;;
        "join --conversation-id") :; return ;;
        "join --base-url") :; return ;;
        "join --color") _tavus_console_words "auto always never" "$current"; return ;;
        "join --theme") _tavus_console_words "auto dark light mono high-contrast" "$current"; return ;;
        "join --pal"|"join --persona") :; return ;;
        "join --face"|"join --replica") :; return ;;
        "tail -f"|"tail --format") :; return ;;
        "tail --only") _tavus_console_words "guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "tail --ignore") _tavus_console_words "guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "tail --where") :; return ;;
        "tail --turn") :; return ;;
        "tail --role") _tavus_console_words "user pal" "$current"; return ;;
        "tail -n"|"tail --count") :; return ;;
        "tail --until") _tavus_console_words "guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "tail --for") :; return ;;
        "tail --record") _tavus_console_files "$current"; return ;;
        "tail --hold") :; return ;;
        "tail --name") :; return ;;
        "tail --join-timeout") :; return ;;
        "tail --daily-proxy") :; return ;;
        "tail --reconnect-timeout") :; return ;;
        "tail --conversation-id") :; return ;;
        "tail --base-url") :; return ;;
        "tail --color") _tavus_console_words "auto always never" "$current"; return ;;
        "tail --theme") _tavus_console_words "auto dark light mono high-contrast" "$current"; return ;;
        "replay --speed") _tavus_console_words "1 4 max" "$current"; return ;;
        "replay -f"|"replay --format") :; return ;;
        "replay --only") _tavus_console_words "guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "replay --ignore") _tavus_console_words "guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "replay --where") :; return ;;
        "replay --turn") :; return ;;
        "replay --role") _tavus_console_words "user pal" "$current"; return ;;
        "replay -n"|"replay --count") :; return ;;
        "replay --until") _tavus_console_words "guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "replay --hold") :; return ;;
        "replay --color") _tavus_console_words "auto always never" "$current"; return ;;
        "replay --theme") _tavus_console_words "auto dark light mono high-contrast" "$current"; return ;;
        "send --wait") _tavus_console_words "reply guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "send --timeout") :; return ;;
        "send --rate") :; return ;;
        "send --ready-timeout") :; return ;;
        "send --hold") :; return ;;
        "send --name") :; return ;;
        "send --join-timeout") :; return ;;
        "send --daily-proxy") :; return ;;
        "send --conversation-id") :; return ;;
        "send --base-url") :; return ;;
        "run --target") :; return ;;
        "run --timeout") :; return ;;
        "run --max-reply") :; return ;;
        "run --junit") _tavus_console_files "$current"; return ;;
        "run --record") _tavus_console_files "$current"; return ;;
        "run --ready-timeout") :; return ;;
        "run --hold") :; return ;;
        "run --name") :; return ;;
        "run --join-timeout") :; return ;;
        "run --daily-proxy") :; return ;;
        "run --base-url") :; return ;;
        "report --html") :; return ;;
        "report --transcript") _tavus_console_words "srt vtt md txt" "$current"; return ;;
        "report --baseline") :; return ;;
        "report --max-worse") :; return ;;
        "report --gate") :; return ;;
        "report --max-reply") :; return ;;
        "report --max-reply-p50") :; return ;;
        "report --max-reply-p95") :; return ;;
        "report --max-first-event") :; return ;;
        "report --max-tool") :; return ;;
        "report --max-tool-to-speech") :; return ;;
        "report --max-barge-in-stop") :; return ;;
        "report --max-talk-over") :; return ;;
        "report --max-dead-air") :; return ;;
        "report --max-outage") :; return ;;
        "report --min-barge-in-success") :; return ;;
        "report --hold") :; return ;;
        "report --color") _tavus_console_words "auto always never" "$current"; return ;;
        "report --theme") _tavus_console_words "auto dark light mono high-contrast" "$current"; return ;;
        "local --port") :; return ;;
        "local --pal") :; return ;;
        "local --speed") _tavus_console_words "max" "$current"; return ;;
        "local --max-concurrent") :; return ;;
        "local --record") :; return ;;
        "local --host") :; return ;;
        "local --public-host") :; return ;;
        "conversation create --body") _tavus_console_files "$current"; return ;;
        "conversation create --base-url") :; return ;;
        "conversation create --query") :; return ;;
        "conversation create --pal"|"conversation create --persona") :; return ;;
        "conversation create --face"|"conversation create --replica") :; return ;;
        "conversation create --conversation-name") :; return ;;
        "conversation create --context"|"conversation create --conversational-context") :; return ;;
        "conversation create --greeting"|"conversation create --custom-greeting") :; return ;;
        "conversation create --max-participants") :; return ;;
        "conversation create --callback-url") :; return ;;
        "conversation create --meeting-url") :; return ;;
        "conversation create --memory-store") :; return ;;
        "conversation create --document-id") :; return ;;
        "conversation create --document-tag") :; return ;;
        "conversation create --document-retrieval-strategy") _tavus_console_words "speed balanced quality" "$current"; return ;;
        "conversation create --policy") :; return ;;
        "conversation create --max-call-duration") :; return ;;
        "conversation create --participant-left-timeout") :; return ;;
        "conversation create --participant-absent-timeout") :; return ;;
        "conversation create --recording-storage") :; return ;;
        "conversation create --recording-s3-bucket-name") :; return ;;
        "conversation create --recording-s3-bucket-region") :; return ;;
        "conversation create --aws-assume-role-arn") :; return ;;
        "conversation create --language") :; return ;;
        "conversation create --languages") :; return ;;
        "conversation create --livekit-ws-url") :; return ;;
        "conversation list --status") _tavus_console_words "active ended" "$current"; return ;;
        "conversation list -n"|"conversation list --limit") :; return ;;
        "conversation list --base-url") :; return ;;
        "conversation list --query") :; return ;;
        "conversation list --color") _tavus_console_words "auto always never" "$current"; return ;;
        "conversation get --base-url") :; return ;;
        "conversation get --query") :; return ;;
        "conversation end --base-url") :; return ;;
        "conversation end --query") :; return ;;
        "auth login --base-url") :; return ;;
        "session start --record") _tavus_console_files "$current"; return ;;
        "session start --idle") :; return ;;
        "session start --queue") :; return ;;
        "session start --name") :; return ;;
        "session start --join-timeout") :; return ;;
        "session start --daily-proxy") :; return ;;
        "session start --reconnect-timeout") :; return ;;
        "session start --conversation-id") :; return ;;
        "session start --base-url") :; return ;;
        "session stop --base-url") :; return ;;
        "webhooks listen --port") :; return ;;
        "webhooks listen --forward-to") :; return ;;
        "webhooks listen --record") _tavus_console_files "$current"; return ;;
        "webhooks listen --host") :; return ;;
        "webhooks listen --public-host") :; return ;;
        "webhooks trigger --to") :; return ;;
        "webhooks trigger --conversation-id") :; return ;;
        "webhooks resend --to") :; return ;;
        "webhooks resend --only") _tavus_console_words "guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "webhooks pull --forward-to") :; return ;;
        "webhooks pull --base-url") :; return ;;
    esac
    case "$path" in
        "") if [[ $current == -* ]]; then _tavus_console_words "--version -h --help" "$current"; else _tavus_console_words "doctor join tail replay send completion run report local help conversation auth config session webhooks" "$current"; fi ;;
        "doctor") if [[ $current == -* ]]; then _tavus_console_words "--room --send --for --ready-timeout --name --join-timeout --daily-proxy --conversation-id --base-url --color --json -h --help" "$current"; else :; fi ;;
        "join") if [[ $current == -* ]]; then _tavus_console_words "--new --end-on-exit --body --name --record --all --partials --hold --join-timeout --ready-timeout --reply-timeout --daily-proxy --no-reconnect --reconnect-timeout --conversation-id --base-url --color --theme --json --pal --persona --face --replica --chat --private --require-auth -h --help" "$current"; else _tavus_console_words "sim https://" "$current"; fi ;;
        "tail") if [[ $current == -* ]]; then _tavus_console_words "-f --format --only --ignore --where --turn --role -n --count --until --for --partials --all --envelope --record --hold --name --join-timeout --daily-proxy --no-reconnect --reconnect-timeout --conversation-id --base-url --color --theme --json -h --help" "$current"; else _tavus_console_words "sim https://" "$current"; fi ;;
        "replay") if [[ $current == -* ]]; then _tavus_console_words "--speed -f --format --only --ignore --where --turn --role -n --count --until --partials --all --envelope --hold --color --theme --json -h --help" "$current"; else :; _tavus_console_files "$current"; fi ;;
        "send") if [[ $current == -* ]]; then _tavus_console_words "--wait --timeout --rate --ready-timeout --hold --name --join-timeout --daily-proxy --conversation-id --base-url --json -h --help" "$current"; else _tavus_console_words "sim https:// respond echo interrupt context sensitivity tool-result confirm raw" "$current"; fi ;;
        "completion") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else _tavus_console_words "bash zsh fish" "$current"; fi ;;
        "run") if [[ $current == -* ]]; then _tavus_console_words "--target --check --keep-going --timeout --max-reply --junit --record --ready-timeout --hold --name --join-timeout --daily-proxy --base-url --json -h --help" "$current"; else _tavus_console_words "sim https://" "$current"; fi ;;
        "report") if [[ $current == -* ]]; then _tavus_console_words "--html --markdown --transcript --baseline --max-worse --gate --max-reply --max-reply-p50 --max-reply-p95 --max-first-event --max-tool --max-tool-to-speech --max-barge-in-stop --max-talk-over --max-dead-air --max-outage --min-barge-in-success --no-gaps --no-late --no-duplicates --no-outages --no-unreplied --no-unanswered-calls --no-failed-barge-ins --no-unknown-types --no-unknown-fields --hold --color --theme --json -h --help" "$current"; else :; fi ;;
        "local") if [[ $current == -* ]]; then _tavus_console_words "--port --pal --speed --max-concurrent --record --env --host --public-host --allow-remote -q --quiet -h --help" "$current"; else :; fi ;;
        "help") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else :; fi ;;
        "conversation") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else _tavus_console_words "create list get end" "$current"; fi ;;
        "conversation create") if [[ $current == -* ]]; then _tavus_console_words "--body --show-token --base-url --query --json --pal --persona --face --replica --conversation-name --context --conversational-context --greeting --custom-greeting --enable-dynamic-greeting --chat --audio-only --private --require-auth --test-mode --max-participants --callback-url --meeting-url --memory-store --document-id --document-tag --document-retrieval-strategy --policy --max-call-duration --participant-left-timeout --participant-absent-timeout --enable-recording --recording-storage --recording-s3-bucket-name --recording-s3-bucket-region --aws-assume-role-arn --enable-closed-captions --apply-greenscreen --language --languages --livekit-ws-url -h --help" "$current"; else :; fi ;;
        "conversation list") if [[ $current == -* ]]; then _tavus_console_words "--status -n --limit --base-url --query --color --json -h --help" "$current"; else :; fi ;;
        "conversation get") if [[ $current == -* ]]; then _tavus_console_words "-v --verbose --base-url --query --json -h --help" "$current"; else :; fi ;;
        "conversation end") if [[ $current == -* ]]; then _tavus_console_words "--all-active -y --yes --base-url --query --json -h --help" "$current"; else :; fi ;;
        "auth") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else _tavus_console_words "login status logout" "$current"; fi ;;
        "auth login") if [[ $current == -* ]]; then _tavus_console_words "--base-url --json -h --help" "$current"; else :; fi ;;
        "auth status") if [[ $current == -* ]]; then _tavus_console_words "--json -h --help" "$current"; else :; fi ;;
        "auth logout") if [[ $current == -* ]]; then _tavus_console_words "--json -h --help" "$current"; else :; fi ;;
        "config") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else _tavus_console_words "path edit show" "$current"; fi ;;
        "config path") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else :; fi ;;
        "config edit") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else :; fi ;;
        "config show") if [[ $current == -* ]]; then _tavus_console_words "--json -h --help" "$current"; else :; fi ;;
        "session") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else _tavus_console_words "start list stop" "$current"; fi ;;
        "session start") if [[ $current == -* ]]; then _tavus_console_words "--record --idle --queue --name --join-timeout --daily-proxy --no-reconnect --reconnect-timeout --conversation-id --base-url --json -h --help" "$current"; else _tavus_console_words "sim https://" "$current"; fi ;;
        "session list") if [[ $current == -* ]]; then _tavus_console_words "--json -h --help" "$current"; else :; fi ;;
        "session stop") if [[ $current == -* ]]; then _tavus_console_words "--all --end --base-url --json -h --help" "$current"; else :; fi ;;
        "webhooks") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else _tavus_console_words "listen trigger resend pull" "$current"; fi ;;
        "webhooks listen") if [[ $current == -* ]]; then _tavus_console_words "--port --forward-to --record --host --public-host --allow-remote -h --help" "$current"; else :; fi ;;
        "webhooks trigger") if [[ $current == -* ]]; then _tavus_console_words "--to --conversation-id --allow-remote -h --help" "$current"; else :; fi ;;
        "webhooks resend") if [[ $current == -* ]]; then _tavus_console_words "--to --only --allow-remote -h --help" "$current"; else :; _tavus_console_files "$current"; fi ;;
        "webhooks pull") if [[ $current == -* ]]; then _tavus_console_words "--forward-to --base-url --allow-remote -h --help" "$current"; else :; fi ;;
    esac
}
complete -F _tavus_console tavus-console
