"""Encodes an example of opentelemetry-proto, read as OTLP/JSON, as protobuf, by OpenTelemetry's own
package of messages: its only difference from proto3's JSON mapping is that ids are hex.

Usage: encode_example.py logs|traces|metrics FILE > BASE64
"""

import base64
import json
import sys

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "logs": ExportLogsServiceRequest,
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
IDS = {"traceId", "spanId", "parentSpanId"}


def with_base64_ids(pairs):
    return {
        key: base64.b64encode(bytes.fromhex(value)).decode() if key in IDS else value
        for key, value in pairs
    }


signal, path = sys.argv[1:3]
with open(path, encoding="utf-8") as file:
    message = ParseDict(json.load(file, object_pairs_hook=with_base64_ids), REQUESTS[signal]())
sys.stdout.write(base64.b64encode(message.SerializeToString()).decode())
