/** The metric's name, its labels if any, and its value: an exemplar is what comes after. */
const SAMPLE = /^[a-zA-Z_:][\w:]*(?:\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})? [^ ]+/;
const COUNTER = /^# TYPE (\S+) counter$/gm;
const COMMENT = /^# (?:HELP|TYPE) (\S+)/;

/**
 * OpenMetrics 1.0 turned into Prometheus's text format 0.0.4: a counter's family is named as its
 * samples are, exemplars and the end mark are left out. prom-client's registry can write either
 * format, but renames the counters in it for good on its first answer in OpenMetrics.
 */
export function toPrometheusText(openMetrics: string): string {
  const counters = new Set([...openMetrics.matchAll(COUNTER)].map((match) => match[1]));
  const lines: string[] = [];
  for (const line of openMetrics.split("\n")) {
    if (line === "# EOF") continue;
    const family = COMMENT.exec(line)?.[1];
    if (family === undefined) lines.push(SAMPLE.exec(line)?.[0] ?? line);
    else lines.push(counters.has(family) ? renameFamily(line, family) : line);
  }
  return lines.join("\n");
}

/**
 * Bounds of histograms as OpenMetrics asks ("Canonical Numbers"): `le="1.0"`, where prom-client
 * writes `le="1"`. Inside a label's value the quote would be escaped, so nothing else looks so.
 */
export function writeBoundsCanonically(openMetrics: string): string {
  return openMetrics.replace(/([{,])le="(\d+)"/g, '$1le="$2.0"');
}

function renameFamily(line: string, family: string): string {
  const at = line.indexOf(family, "# HELP ".length);
  return `${line.slice(0, at)}${family}_total${line.slice(at + family.length)}`;
}
