import { expect, test } from "vitest";
import { toPrometheusText, writeBoundsCanonically } from "./prometheus-text.ts";

test.each([
  [
    "a counter's family is named as its samples",
    "# TYPE a counter\na_total 1",
    "# TYPE a_total counter\na_total 1",
  ],
  [
    "its help too",
    "# HELP a a of a\n# TYPE a counter",
    "# HELP a_total a of a\n# TYPE a_total counter",
  ],
  ["a gauge stays", "# HELP b x\n# TYPE b gauge\nb NaN", "# HELP b x\n# TYPE b gauge\nb NaN"],
  ["an exemplar goes", 'c_bucket{le="1.0"} 2 # {trace_id="1"} 0.5 1.2', 'c_bucket{le="1.0"} 2'],
  ["without labels too", 'd_total 2 # {trace_id="1"} 1', "d_total 2"],
  ["the end mark goes", "e 1\n# EOF\n", "e 1\n"],
  [
    "what looks like an exemplar inside a label stays",
    'f{route="/a # {b=\\"c\\"} 1 1",x="}"} 3',
    'f{route="/a # {b=\\"c\\"} 1 1",x="}"} 3',
  ],
  ["a time stands after the value, which no metric here has", "g 1 1700000000", "g 1"],
  ["nothing", "", ""],
])("%s", (_, openMetrics, want) => {
  expect(toPrometheusText(openMetrics)).toBe(want);
});

test.each([
  ['a_bucket{le="1",x="y"} 1', 'a_bucket{le="1.0",x="y"} 1'],
  ['a_bucket{x="y",le="10"} 1', 'a_bucket{x="y",le="10.0"} 1'],
  ['a_bucket{le="0.5"} 1', 'a_bucket{le="0.5"} 1'],
  ['a_bucket{le="+Inf"} 1', 'a_bucket{le="+Inf"} 1'],
  ['a{title="le=\\"1\\""} 1', 'a{title="le=\\"1\\""} 1'],
  ['a{scale="1"} 1', 'a{scale="1"} 1'],
])("%s is written %s", (line, want) => {
  expect(writeBoundsCanonically(line)).toBe(want);
});
