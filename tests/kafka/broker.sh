# Sourced by tests/kafka/start and tests/kafka/again: the process of one broker, whose settings, log
# and process id lie in a folder of its own.

ready_seconds_max=90
# Where the classes were archived, they are not read from the jars again.
archived_classes=("-XX:SharedArchiveFile=$kept/classes.jsa" -Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off)

# A loopback port on which nobody listens now; somebody may still take it, so starts are retried.
free_port() {
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

# What a broker says about itself: its start, its end, and how it ends transactions.
write_log_settings() {
    cat >"$1/log4j2.properties" <<PROPERTIES
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{HH:mm:ss.SSS} %-5p %m (%c{1})%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
logger.transactions.name=kafka.coordinator.transaction
logger.transactions.level=info
PROPERTIES
}

# Starts the broker of a folder, with the options of the Java machine that follow, in a session of
# its own, so that a Ctrl-C reaches only whoever stops it in turn. Its log goes on where it ended.
launch() {
    local folder=$1
    shift
    touch "$folder/broker.log"
    stat -c %s "$folder/broker.log" >"$folder/log-start"
    setsid java "$@" "${archived_classes[@]}" -XX:+ExitOnOutOfMemoryError \
        "-Dlog4j2.configurationFile=$folder/log4j2.properties" -cp "$kept/lib/*" \
        kafka.Kafka "$folder/server.properties" </dev/null >>"$folder/broker.log" 2>&1 &
    echo $! >"$folder/pid"
}

# What the broker of a folder has said since it was launched.
said_since_launch() {
    tail -c "+$(($(cat "$1/log-start") + 1))" "$1/broker.log"
}

# Waits until the broker of a folder says that it has started and takes a connection on a port.
await_ready() {
    local folder=$1 port=$2 pid deadline=$((SECONDS + ready_seconds_max))
    pid=$(cat "$folder/pid")
    while [ $SECONDS -lt $deadline ]; do
        kill -0 "$pid" 2>/dev/null || return 1
        if said_since_launch "$folder" | grep -q 'Kafka Server started' &&
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return 0
        fi
        sleep 0.05
    done
    return 1
}
