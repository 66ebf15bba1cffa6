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
        "doctor"|"join"|"tail"|"replay"|"send"|"completion"|"run") path="${path:+$path }$word" ;;
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
        "doctor --color") _tavus_console_words "auto always never" "$current"; return ;;
        "join --name") :; return ;;
        "join --record") _tavus_console_files "$current"; return ;;
        "join --hold") :; return ;;
        "join --join-timeout") :; return ;;
        "join --ready-timeout") :; return ;;
        "join --reply-timeout") :; return ;;
        "join --daily-proxy") :; return ;;
        "join --conversation-id") :; return ;;
        "join --color") _tavus_console_words "auto always never" "$current"; return ;;
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
        "tail --conversation-id") :; return ;;
        "tail --color") _tavus_console_words "auto always never" "$current"; return ;;
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
        "send --wait") _tavus_console_words "reply guardrail.triggered heartbeat joined left objective.activated objective.completed objective.pending pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call rag.observability replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready shutdown started_speaking stopped_speaking tool_call user.started_speaking user.stopped_speaking utterance utterance.streaming" "$current"; return ;;
        "send --timeout") :; return ;;
        "send --ready-timeout") :; return ;;
        "send --hold") :; return ;;
        "send --name") :; return ;;
        "send --join-timeout") :; return ;;
        "send --daily-proxy") :; return ;;
        "send --conversation-id") :; return ;;
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
    esac
    case "$path" in
        "") if [[ $current == -* ]]; then _tavus_console_words "--version -h --help" "$current"; else _tavus_console_words "doctor join tail replay send completion run" "$current"; fi ;;
        "doctor") if [[ $current == -* ]]; then _tavus_console_words "--room --send --for --ready-timeout --name --join-timeout --daily-proxy --conversation-id --color --json -h --help" "$current"; else :; fi ;;
        "join") if [[ $current == -* ]]; then _tavus_console_words "--name --record --all --partials --hold --join-timeout --ready-timeout --reply-timeout --daily-proxy --conversation-id --color --json -h --help" "$current"; else _tavus_console_words "sim https://" "$current"; fi ;;
        "tail") if [[ $current == -* ]]; then _tavus_console_words "-f --format --only --ignore --where --turn --role -n --count --until --for --partials --all --envelope --record --hold --name --join-timeout --daily-proxy --conversation-id --color --json -h --help" "$current"; else _tavus_console_words "sim https://" "$current"; fi ;;
        "replay") if [[ $current == -* ]]; then _tavus_console_words "--speed -f --format --only --ignore --where --turn --role -n --count --until --partials --all --envelope --hold --color --json -h --help" "$current"; else :; _tavus_console_files "$current"; fi ;;
        "send") if [[ $current == -* ]]; then _tavus_console_words "--wait --timeout --ready-timeout --hold --name --join-timeout --daily-proxy --conversation-id --json -h --help" "$current"; else _tavus_console_words "sim https:// respond echo interrupt context sensitivity tool-result confirm raw" "$current"; fi ;;
        "completion") if [[ $current == -* ]]; then _tavus_console_words "-h --help" "$current"; else _tavus_console_words "bash zsh fish" "$current"; fi ;;
        "run") if [[ $current == -* ]]; then _tavus_console_words "--target --check --keep-going --timeout --max-reply --junit --record --ready-timeout --hold --name --join-timeout --daily-proxy --json -h --help" "$current"; else _tavus_console_words "sim https://" "$current"; fi ;;
    esac
}
complete -F _tavus_console tavus-console
