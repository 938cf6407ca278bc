"""Sends logs, spans and a metric with OpenTelemetry's own exporters for Python, which know nothing
of Clew. Where and how it sends is said by the standard OTEL_EXPORTER_OTLP_* variables.

Usage: pairs.py TRANSACTION_ID PAIRS
"""

import logging
import os
import sys
from importlib import import_module

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

FOLDERS = {"grpc": "grpc", "http/protobuf": "http"}
exporters = "opentelemetry.exporter.otlp.proto." + FOLDERS[os.environ["OTEL_EXPORTER_OTLP_PROTOCOL"]]


def exporter(part: str, name: str):
    return getattr(import_module(f"{exporters}.{part}"), name)()


transaction_id, pairs = sys.argv[1], int(sys.argv[2])
traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(exporter("trace_exporter", "OTLPSpanExporter")))
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(exporter("_log_exporter", "OTLPLogExporter")))
metrics = MeterProvider(
    [PeriodicExportingMetricReader(exporter("metric_exporter", "OTLPMetricExporter"))]
)

logger = logging.getLogger("pairs")
logger.setLevel(logging.INFO)
logger.addHandler(LoggingHandler(logger_provider=logs))
sent = metrics.get_meter("pairs").create_counter("pairs.sent")
named = {"transaction_id": transaction_id}

for i in range(pairs):
    with traces.get_tracer("pairs").start_as_current_span(f"span {i}", attributes=named):
        logger.info("log %d: größer als drei", i, extra=named)
    sent.add(1)

for provider in (traces, logs, metrics):
    provider.shutdown()
