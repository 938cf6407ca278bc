"""Reads a file of metrics with prometheus_client's parsers, which raise on what the
specification forbids, and prints each sample as JSON.

Usage: read_metrics.py openmetrics|prometheus FILE
"""

import json
import sys

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

parsers = {"openmetrics": openmetrics, "prometheus": prometheus}
with open(sys.argv[2], encoding="utf-8") as file:
    families = parsers[sys.argv[1]].text_string_to_metric_families(file.read())
    samples = [
        {
            "family": family.name,
            "type": family.type,
            "name": sample.name,
            "labels": sample.labels,
            "value": str(sample.value),
            "exemplar": sample.exemplar.labels if sample.exemplar else None,
        }
        for family in families
        for sample in family.samples
    ]
json.dump(samples, sys.stdout)
