"""What is marked on the axis of time: a moment, or a span where there is an end, with a text."""

from deploy.grafana.generate.queries.conditions import conversation, seconds, sensor

CAPTURE_LOSS = (
    "SELECT toStartOfMinute(word.time) AS time, toStartOfMinute(word.time) + INTERVAL 1 MINUTE AS timeEnd, "
    "concat(toString(word.sensor), ' ', toString(word.interface), ': ', "
    "toString(max(word.kernel_drops + word.interface_drops) - min(word.kernel_drops + word.interface_drops)), "
    "' frames lost, one in ', toString(max(word.keep_one_in)), ' conversations kept') AS text, "
    "toString(word.sensor) AS tags "
    f"FROM sensors AS word WHERE {seconds('word')} AND {sensor('word')} "
    "GROUP BY time, timeEnd, word.sensor, word.interface, word.session "
    "HAVING max(word.kernel_drops + word.interface_drops) > min(word.kernel_drops + word.interface_drops) "
    "OR max(word.keep_one_in) > 1 ORDER BY time LIMIT 200"
)
SENSOR_PROBLEMS = (
    "SELECT min(word.time) AS time, max(word.time) AS timeEnd, concat(toString(word.sensor), ' ', "
    "toString(word.interface), ' is ', toString(word.state), if(word.problem = '', '', concat(': ', word.problem))) "
    f"AS text, toString(word.sensor) AS tags FROM sensors AS word WHERE {seconds('word')} AND {sensor('word')} "
    "AND word.state != 'running' GROUP BY word.sensor, word.interface, word.session, word.state, word.problem "
    "ORDER BY time LIMIT 200"
)
INJECTIONS = (
    "SELECT anomaly.ts AS time, concat('reset off sequence, perhaps injected: ', anomaly.src_address, ' to ', "
    "anomaly.dst_address) AS text, toString(anomaly.sensor) AS tags "
    f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND {sensor('anomaly')} "
    "AND anomaly.reset = 'off_sequence' ORDER BY anomaly.ts LIMIT 200"
)
CONVERSATION_EVENTS = (
    "SELECT anomaly.ts AS time, concat(if(anomaly.from_client, 'client: ', 'server: '), arrayStringConcat("
    "arrayConcat(anomaly.label_names, if(anomaly.reset = '', [], [concat('reset ', toString(anomaly.reset))])), ', '), "
    "' (frame ', toString(anomaly.frame), ')') AS text, "
    "if(anomaly.reset = '', anomaly.label_names[1], 'reset') AS tags "
    f"FROM anomalies AS anomaly WHERE {seconds('anomaly')} AND {conversation('anomaly')} "
    "ORDER BY anomaly.ts, anomaly.frame LIMIT 200"
)
