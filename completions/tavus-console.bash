# bash completion for tavus-console. Made from its command tree; do not edit.

# Sets words: what is typed up to the cursor. COMP_WORDS has it cut at : and = too.
_tavus_console_split() {
    local line=${COMP_LINE:0:COMP_POINT} blank piece index
    words=()
    for ((index = 0; index <= COMP_CWORD; index++)); do
        piece=${COMP_WORDS[index]}
        blank=${line%%[! $'\t']*}
        line=${line#"$blank"}
        ((index == COMP_CWORD)) && piece=$line
        if [[ $index == 0 || -n $blank ]]; then
            words+=("$piece")
        else
            words[${#words[@]}-1]+=$piece
        fi
        line=${line#"$piece"}
    done
}

# Adds what begins with the current word, without what bash has cut off.
_tavus_console_add() {
    [[ $1 == "$current"* ]] || return 0
    local whole=$prefix$1
    COMPREPLY+=("${whole#"$cut"}")
    case $1 in *[:/=]) compopt -o nospace 2>/dev/null ;; esac
}

_tavus_console_paths() {
    local one whole
    compopt -o filenames 2>/dev/null
    while IFS= read -r one; do
        whole=$prefix$one
        COMPREPLY+=("${whole#"$cut"}")
    done < <(compgen "$1" -- "$current")
}

# Sessions that run here, conversations created here that have not ended, and those with a token kept here.
_tavus_console_ids() {
    local LC_ALL=C one name text state
    local folders=("${XDG_RUNTIME_DIR:-/run/user/$UID}/tavus-console" "/run/user/$UID/tavus-console"
        "${TMPDIR:-/tmp}/runtime-$UID/tavus-console" "$HOME/Library/Caches/TemporaryItems/tavus-console")
    [[ -n ${TAVUS_CONSOLE_RUNTIME:-} ]] && folders=("$TAVUS_CONSOLE_RUNTIME")
    for one in "${folders[@]}"; do
        for name in "$one"/*.sock; do
            name=${name##*/}
            name=${name%.sock}
            [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] && _tavus_console_add "$name"
        done
    done
    for state in "${XDG_STATE_HOME:-$HOME/.local/state}" "$HOME/Library/Application Support"; do
        for one in "$state"/tavus-console/open/*; do
            [[ -f $one ]] || continue
            text=""
            IFS= read -r -n 4096 text < "$one"
            [[ $text =~ \"conversation_id\":\ \"(c[0-9a-z]+)\" ]] && _tavus_console_add "${BASH_REMATCH[1]}"
        done
        for one in "$state"/tavus-console/tokens/*; do
            [[ ${one##*/} =~ ^c[0-9a-z]+$ ]] && _tavus_console_add "${one##*/}"
        done
    done
}

_tavus_console_offer() {
    local one
    for one in "$@"; do
        case $one in
        @files) _tavus_console_paths -f ;;
        @folders) _tavus_console_paths -d ;;
        @ids) _tavus_console_ids ;;
        @list)
            if [[ $current == *,* ]]; then
                prefix+=${current%,*},
                current=${current##*,}
            fi ;;
        @targets)
            if [[ $current == sim:* ]]; then
                prefix+=sim:
                current=${current#sim:}
                _tavus_console_paths -f
            else
                _tavus_console_offer sim https:// @ids
            fi ;;
        *) _tavus_console_add "$one" ;;
        esac
    done
}

# Sets offer for the value of an option; fails for an option that takes none.
_tavus_console_value() {
    case "$1 $2" in
    "join --max-minutes"|"join --hold"|"join --ready-timeout"|"join --reply-timeout"|"join --history"|"join --name"|"join --join-timeout"|"join --daily-proxy"|"join --reconnect-timeout"|"join --base-url"|"join --tool"|"join --max-calls"|"join --pal"|"join --persona"|"join --face"|"join --replica"|"tail --where"|"tail --turn"|"tail -n"|"tail --count"|"tail --hold"|"tail --for"|"tail --history"|"tail --name"|"tail --join-timeout"|"tail --daily-proxy"|"tail --reconnect-timeout"|"tail --base-url"|"tail --tool"|"tail --max-calls"|"send --timeout"|"send --rate"|"send --ready-timeout"|"send --hold"|"send --name"|"send --join-timeout"|"send --daily-proxy"|"send --base-url"|"run --timeout"|"run --max-reply"|"run --max-cost-minutes"|"run --ready-timeout"|"run --hold"|"run --name"|"run --join-timeout"|"run --daily-proxy"|"run --base-url"|"run --repeat"|"run -j"|"run --jobs"|"run --run-timeout"|"run --min-pass"|"run --filter"|"run --shard"|"run --tool"|"run --max-calls"|"run --pal"|"run --persona"|"run --face"|"run --replica"|"script from --hold"|"session start --max-minutes"|"session start --idle"|"session start --queue"|"session start --name"|"session start --join-timeout"|"session start --daily-proxy"|"session start --reconnect-timeout"|"session start --base-url"|"session start --tool"|"session start --max-calls"|"session start --pal"|"session start --persona"|"session start --face"|"session start --replica"|"session stop --base-url"|"tools --listen"|"tools --public-host"|"tools --hold"|"tools --name"|"tools --join-timeout"|"tools --daily-proxy"|"tools --base-url"|"tools --tool"|"tools --max-calls"|"replay --where"|"replay --turn"|"replay -n"|"replay --count"|"replay --hold"|"replay --from"|"replay --to"|"report --max-worse"|"report --hold"|"report --gate"|"report --max-reply"|"report --max-reply-p50"|"report --max-reply-p95"|"report --max-first-event"|"report --max-tool"|"report --max-tool-to-speech"|"report --max-barge-in-stop"|"report --max-talk-over"|"report --max-dead-air"|"report --max-outage"|"report --min-barge-in-success"|"redact --key"|"local --port"|"local --pal"|"local --max-concurrent"|"local --host"|"local --public-host"|"webhooks listen --port"|"webhooks listen --forward-to"|"webhooks listen --host"|"webhooks listen --public-host"|"webhooks trigger --to"|"webhooks resend --to"|"webhooks pull --forward-to"|"webhooks pull --base-url"|"conversation create --base-url"|"conversation create --query"|"conversation create --pal"|"conversation create --persona"|"conversation create --face"|"conversation create --replica"|"conversation create --conversation-name"|"conversation create --context"|"conversation create --conversational-context"|"conversation create --greeting"|"conversation create --custom-greeting"|"conversation create --max-participants"|"conversation create --callback-url"|"conversation create --meeting-url"|"conversation create --memory-store"|"conversation create --document-id"|"conversation create --document-tag"|"conversation create --policy"|"conversation create --max-call-duration"|"conversation create --participant-left-timeout"|"conversation create --participant-absent-timeout"|"conversation create --recording-storage"|"conversation create --recording-s3-bucket-name"|"conversation create --recording-s3-bucket-region"|"conversation create --aws-assume-role-arn"|"conversation create --language"|"conversation create --languages"|"conversation create --livekit-ws-url"|"conversation list -n"|"conversation list --limit"|"conversation list --base-url"|"conversation list --query"|"conversation get --base-url"|"conversation get --query"|"conversation end --base-url"|"conversation end --query"|"auth login --base-url"|"doctor --send"|"doctor --for"|"doctor --ready-timeout"|"doctor --name"|"doctor --join-timeout"|"doctor --daily-proxy"|"doctor --base-url") offer=() ;;
    "join --body"|"join --record"|"join --tools"|"join --tool-log"|"tail --record"|"tail --otlp"|"tail --tools"|"tail --tool-log"|"send --audio"|"run --body"|"run --report"|"run --otlp"|"run --junit"|"run --record"|"run --results"|"run --baseline"|"run --tools"|"run --tool-log"|"script from -o"|"script from --output"|"session start --body"|"session start --record"|"session start --otlp"|"session start --tools"|"session start --tool-log"|"tools --record"|"tools --tools"|"tools --tool-log"|"report --html"|"report --baseline"|"report --otlp"|"webhooks listen --record"|"conversation create --body") offer=(@files) ;;
    "join --color"|"tail --color"|"run --color"|"replay --color"|"report --color"|"conversation list --color"|"doctor --color") offer=(auto always never) ;;
    "join --theme"|"tail --theme"|"run --theme"|"replay --theme"|"report --theme") offer=(auto dark light mono high-contrast) ;;
    "join --times"|"tail --times"|"replay --times") offer=(auto full) ;;
    "join --conversation-id"|"tail --conversation-id"|"send --conversation-id"|"session start --conversation-id"|"tools --conversation-id"|"webhooks trigger --conversation-id"|"doctor --conversation-id") offer=(@ids) ;;
    "join --tool-reply"|"tail --tool-reply"|"run --tool-reply"|"session start --tool-reply"|"tools --tool-reply") offer=(echo append respond none) ;;
    "join --tool-from"|"tail --tool-from"|"run --tool-from"|"session start --tool-from"|"tools --tool-from") offer=(pal any) ;;
    "tail -f"|"tail --format"|"replay -f"|"replay --format") offer=(pretty jsonl) ;;
    "tail --only"|"tail --ignore"|"tail --until"|"replay --only"|"replay --ignore"|"replay --until"|"webhooks resend --only") offer=(@list append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming) ;;
    "tail --role"|"replay --role") offer=(user pal) ;;
    "send --wait") offer=(@list reply append_llm_context connected disconnected echo guardrail.triggered heartbeat interaction interrupt joined left objective.activated objective.completed objective.confirm objective.pending overwrite_llm_context pal.started_speaking pal.stopped_speaking pal_joined pal_present perception-analysis perception_analysis perception_tool_call perception_unavailable post_call_action_executed rag.observability recording_copy_failed recording_ready replica.started_speaking replica.stopped_speaking replica_interrupted replica_joined replica_present replica_ready respond sensitivity set_emotion shutdown started_speaking stopped_speaking tool_call tool_result transcription_ready user.started_speaking user.stopped_speaking utterance utterance.streaming) ;;
    "run --target"|"doctor --room") offer=(@targets) ;;
    "run --keep") offer=(failed all) ;;
    "run --keep-in"|"local --record") offer=(@folders) ;;
    "replay --speed") offer=(1 4 max) ;;
    "report --transcript") offer=(srt vtt md txt) ;;
    "local --speed") offer=(max) ;;
    "conversation create --document-retrieval-strategy") offer=(speed balanced quality) ;;
    "conversation list --status") offer=(active ended) ;;
    *) return 1 ;;
    esac
}

_tavus_console_argument() {
    case "$1 $2" in
    " 0") offer=(join tail send run script session tools replay report redact local webhooks conversation auth config doctor completion help) ;;
    "join 0"|"tail 0"|"session start 0"|"tools 0") offer=(@targets) ;;
    "send 0") offer=(@targets respond echo interrupt context sensitivity tool-result confirm set-emotion raw) ;;
    "send 1") offer=(respond echo interrupt context sensitivity tool-result confirm set-emotion raw) ;;
    "send context 0") offer=(append overwrite) ;;
    "send sensitivity 0") offer=(pause=superlow pause=verylow pause=low pause=medium pause=high pause=auto interrupt=superlow interrupt=verylow interrupt=low interrupt=medium interrupt=high interrupt=auto) ;;
    "send set-emotion 0") offer=(neutral happiness sadness anger fear surprise disgust contempt) ;;
    "run "*) offer=(@targets @files) ;;
    "script 0") offer=(from) ;;
    "script from 0"|"replay 0"|"report "*|"redact 0"|"webhooks resend 0") offer=(@files) ;;
    "session 0") offer=(start list stop) ;;
    "session stop 0"|"webhooks pull 0"|"conversation get 0"|"conversation end "*) offer=(@ids) ;;
    "webhooks 0") offer=(listen trigger resend pull) ;;
    "webhooks trigger 0") offer=(system.replica_joined system.pal_joined system.shutdown application.transcription_ready application.recording_ready application.recording_copy_failed application.perception_analysis application.perception_unavailable application.post_call_action_executed objective guardrail) ;;
    "conversation 0") offer=(create list get end) ;;
    "auth 0") offer=(login status logout) ;;
    "config 0") offer=(path edit show) ;;
    "completion 0") offer=(bash zsh fish) ;;
    "help 0") offer=(commands configuration traps scripts testing tools recordings report fleet sim local themes live-check protocol daily architecture join tail send run script session tools replay report redact local webhooks conversation auth config doctor completion help) ;;
    esac
}

_tavus_console_options() {
    case $1 in
    "") offer=(--version -h --help) ;;
    "join") offer=(--new --end-on-exit --max-minutes --body --record --redact --all --no-all --partials --no-partials --hold --ready-timeout --reply-timeout --color --theme --times --seq --history --json --name --join-timeout --daily-proxy --no-reconnect --reconnect-timeout --conversation-id --base-url --tool --tools --tool-reply --tool-from --max-calls --cut --tool-log --pal --persona --face --replica --chat --private --require-auth -h --help) ;;
    "tail") offer=(-f --format --only --ignore --where --turn --role -n --count --until --partials --no-partials --all --no-all --envelope --hold --times --seq --json --for --record --redact --otlp --otlp-content --color --theme --history --name --join-timeout --daily-proxy --no-reconnect --reconnect-timeout --conversation-id --base-url --tool --tools --tool-reply --tool-from --max-calls --cut --tool-log -h --help) ;;
    "send") offer=(--wait --timeout --rate --ready-timeout --hold --json --name --join-timeout --daily-proxy --conversation-id --base-url --audio --completed --error -h --help) ;;
    "run") offer=(--target --check --keep-going -v --verbose --timeout --max-reply --new --max-cost-minutes --body --report --redact --otlp --otlp-content --junit --record --ready-timeout --hold --color --theme --json --name --join-timeout --daily-proxy --base-url --repeat -j --jobs --run-timeout --min-pass --filter --shard --fail-fast --results --baseline --keep --keep-in --tool --tools --tool-reply --tool-from --max-calls --cut --tool-log --pal --persona --face --replica --chat --private --require-auth -h --help) ;;
    "script"|"session"|"webhooks"|"conversation"|"auth"|"config"|"config path"|"config edit"|"completion"|"help") offer=(-h --help) ;;
    "script from") offer=(-o --output --words --hold --json -h --help) ;;
    "session start") offer=(--new --max-minutes --body --record --redact --idle --queue --json --otlp --otlp-content --name --join-timeout --daily-proxy --no-reconnect --reconnect-timeout --conversation-id --base-url --tool --tools --tool-reply --tool-from --max-calls --cut --tool-log --pal --persona --face --replica --chat --private --require-auth -h --help) ;;
    "session list"|"auth status"|"auth logout"|"config show") offer=(--json -h --help) ;;
    "session stop") offer=(--all --end --base-url --json -h --help) ;;
    "tools") offer=(--dry-run --rerun --listen --public-host --record --redact --hold --json --name --join-timeout --daily-proxy --conversation-id --base-url --tool --tools --tool-reply --tool-from --max-calls --cut --tool-log -h --help) ;;
    "replay") offer=(-f --format --only --ignore --where --turn --role -n --count --until --partials --no-partials --all --no-all --envelope --hold --times --seq --json --speed --from --to --color --theme -i --interactive -h --help) ;;
    "report") offer=(--html --markdown --transcript --baseline --max-worse --otlp --otlp-content --hold --color --theme --json --gate --max-reply --max-reply-p50 --max-reply-p95 --max-first-event --max-tool --max-tool-to-speech --max-barge-in-stop --max-talk-over --max-dead-air --max-outage --min-barge-in-success --no-gaps --no-late --no-duplicates --no-outages --no-unreplied --no-unanswered-calls --no-failed-barge-ins --no-unknown-types --no-unknown-fields -h --help) ;;
    "redact") offer=(--key --json -h --help) ;;
    "local") offer=(--port --pal --speed --max-concurrent --record --env --host --public-host --allow-remote -q --quiet -h --help) ;;
    "webhooks listen") offer=(--port --forward-to --record --host --public-host --allow-remote -h --help) ;;
    "webhooks trigger") offer=(--to --conversation-id --allow-remote -h --help) ;;
    "webhooks resend") offer=(--to --only --allow-remote -h --help) ;;
    "webhooks pull") offer=(--forward-to --base-url --allow-remote -h --help) ;;
    "conversation create") offer=(--body --show-token --base-url --query --json --pal --persona --face --replica --conversation-name --context --conversational-context --greeting --custom-greeting --enable-dynamic-greeting --chat --audio-only --private --require-auth --test-mode --max-participants --callback-url --meeting-url --memory-store --document-id --document-tag --document-retrieval-strategy --policy --max-call-duration --participant-left-timeout --participant-absent-timeout --enable-recording --recording-storage --recording-s3-bucket-name --recording-s3-bucket-region --aws-assume-role-arn --enable-closed-captions --apply-greenscreen --language --languages --livekit-ws-url -h --help) ;;
    "conversation list") offer=(--status -n --limit --base-url --query --color --json -h --help) ;;
    "conversation get") offer=(-v --verbose --base-url --query --json -h --help) ;;
    "conversation end") offer=(--all-active -y --yes --base-url --query --json -h --help) ;;
    "auth login") offer=(--base-url --json -h --help) ;;
    "doctor") offer=(--room --send --for --ready-timeout --color --json --name --join-timeout --daily-proxy --conversation-id --base-url -h --help) ;;
    esac
}

_tavus_console() {
    local words=() current prefix="" cut="" path="" place="" option="" count=0 index word offer=()
    COMPREPLY=()
    _tavus_console_split
    current=${words[${#words[@]}-1]}
    case $current in
    [\'\"]*) current=${current:1} ;;
    *)
        current=${current//\\/}
        word=${COMP_WORDBREAKS//[!:=]/}
        [[ -n $word ]] && cut=${current%"${current##*[$word]}"} ;;
    esac
    for ((index = 1; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ -n $option ]]; then
            option=""
        elif [[ $word == -?* ]]; then
            [[ $word != *=* ]] && _tavus_console_value "$path" "$word" && option=$word
        else
            case "$place $word" in
            " join"|" tail"|" send"|" run"|" script"|"script from"|" session"|"session start"|"session list"|"session stop"|" tools"|" replay"|" report"|" redact"|" local"|" webhooks"|"webhooks listen"|"webhooks trigger"|"webhooks resend"|"webhooks pull"|" conversation"|"conversation create"|"conversation list"|"conversation get"|"conversation end"|" auth"|"auth login"|"auth status"|"auth logout"|" config"|"config path"|"config edit"|"config show"|" doctor"|" completion"|" help")
                path="${path:+$path }$word"
                place=$path ;;
            "send respond"|"send echo"|"send interrupt"|"send context"|"send sensitivity"|"send tool-result"|"send confirm"|"send set-emotion"|"send raw")
                place="send $word"
                count=0 ;;
            *) count=$((count + 1)) ;;
            esac
        fi
    done
    offer=()
    if [[ -n $option ]]; then
        _tavus_console_value "$path" "$option"
    elif [[ $current == --*=* ]]; then
        prefix=${current%%=*}=
        current=${current#*=}
        _tavus_console_value "$path" "${prefix%=}"
    elif [[ $current == -* ]]; then
        _tavus_console_options "$path"
    else
        _tavus_console_argument "$place" "$count"
    fi
    _tavus_console_offer ${offer[@]+"${offer[@]}"}
}
complete -F _tavus_console tavus-console
