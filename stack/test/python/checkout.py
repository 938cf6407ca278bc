"""A service of somebody else's: the OpenTelemetry SDK for Python, which does not know Clew."""

import logging
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

endpoint, transaction_id = sys.argv[1:3]
resource = Resource.create({"service.name": "python-checkout"})

traces = TracerProvider(resource=resource)
traces.add_span_processor(
    BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", compression=Compression.Gzip))
)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{endpoint}/v1/logs")))

logger = logging.getLogger("checkout")
logger.setLevel(logging.INFO)
logger.addHandler(LoggingHandler(logger_provider=logs))

tracer = traces.get_tracer("checkout")
with tracer.start_as_current_span("checkout", attributes={"transaction_id": transaction_id}) as span:
    logger.info("basket checked: größer als drei", extra={"transaction_id": transaction_id})
    with tracer.start_as_current_span("reserve"):
        logger.error("nothing left on the shelf")
    print(trace.format_trace_id(span.get_span_context().trace_id))

traces.shutdown()
logs.shutdown()
