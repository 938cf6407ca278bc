import { expect, it } from "vitest";
import { checkErrorCodes, checkMetrics, checkRoutes, checkVariables } from "./all-checks.ts";
import { type Check, projectOf } from "./project.ts";

const ERRORS =
  "export const ERRORS = { NOT_FOUND: kind(404, 5, false), " +
  '"BUS_STOPPED": kind(503, 14, true) } as const;';
const METRIC = 'export const METRIC = { lag: "clew_lag" } as const;';
const CONFIG =
  'const VARIABLE = { port: "CLEW_PORT" }; f(process.env.HOME, env.CLEW_HOST);' +
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is source text.
  "g(`OTEL_${signal}_EXPORTER`, `CLEW_PORT is ${value}`, `${name}_FILE`);";
const ROUTES = 'app.get("/logs", f); app.get("/transactions/:id", f); app.get("*", f);';
const SERVER = 'app.get("/healthz", f); values.get("x");';
const RECEIVER = 'const PATHS = { logs: "/v1/logs" };';

interface Case {
  readonly check: Check;
  readonly code: Readonly<Record<string, string>>;
  readonly page: string;
  readonly names: readonly string[];
  readonly cells?: Readonly<Record<string, string>>;
}

const CASES: readonly Case[] = [
  {
    check: checkErrorCodes,
    code: { "collector/src/errors.ts": ERRORS },
    page: "docs/errors.md",
    names: ["NOT_FOUND", "BUS_STOPPED"],
    cells: { NOT_FOUND: "404 | no", BUS_STOPPED: "503 | yes" },
  },
  {
    check: checkMetrics,
    code: { "collector/src/wire-names.ts": METRIC },
    page: "docs/metrics.md",
    names: ["clew_lag"],
  },
  {
    check: checkVariables,
    code: { "collector/src/config.ts": CONFIG },
    page: "docs/configuration.md",
    names: ["CLEW_PORT", "CLEW_HOST", "HOME", "OTEL_*_EXPORTER", "*_FILE"],
  },
  {
    check: checkRoutes,
    code: {
      "collector/src/query/log-routes.ts": ROUTES,
      "collector/src/query/query-server.ts": SERVER,
      "collector/src/receive/otlp-receiver.ts": RECEIVER,
    },
    page: "docs/api.md",
    names: ["GET /api/v1/logs", "GET /api/v1/transactions/{id}", "GET /healthz", "POST /v1/logs"],
  },
];

function rulesFor({ check, code, page, cells }: Case, names: readonly string[]): readonly string[] {
  const table = [
    "| name | meaning |",
    "| --- | --- |",
    ...names.map((name) => `| \`${name}\` | ${cells?.[name] ?? "x"} |`),
  ];
  const { findings } = check.run(projectOf({ ...code, [page]: table.join("\n") }));
  return findings.map(({ path, line, rule }) => `${path}:${line}: ${rule}`);
}

it.for(CASES)("$check.name: passes where both have the same", (one) => {
  expect(rulesFor(one, one.names)).toEqual([]);
});

it.for(CASES)("$check.name: finds each name that its page lacks", (one) => {
  const rules = rulesFor(one, []);
  expect(rules).toHaveLength(one.names.length);
  for (const name of one.names) {
    expect(rules.some((rule) => rule.endsWith(`: ${name} is not in ${one.page}`))).toBe(true);
  }
});

it.for<[number, string]>([
  [0, "GONE"],
  [1, "clew_gone"],
  [2, "CLEW_GONE"],
  [3, "GET /gone"],
])("finds a row that no code stands behind: %s, %s", ([index, name]) => {
  const one = CASES[index] as Case;
  const line = one.names.length + 3;
  expect(rulesFor(one, [...one.names, name])).toEqual([`${one.page}:${line}: no code has ${name}`]);
});

it("finds a row that says another status, or whether to retry, than the code", () => {
  const one = { ...(CASES[0] as Case), cells: { NOT_FOUND: "400 | no", BUS_STOPPED: "503 | no" } };
  expect(rulesFor(one, one.names)).toEqual([
    "docs/errors.md:3: the row of NOT_FOUND does not say 404, as the code does",
    "docs/errors.md:4: the row of BUS_STOPPED does not say yes, as the code does",
  ]);
});

it("finds a row that stands twice", () => {
  const one = CASES[1] as Case;
  expect(rulesFor(one, ["clew_lag", "clew_lag"])).toEqual([
    "docs/metrics.md:4: clew_lag has two rows",
  ]);
});

it("examines nothing where the page is not there", () => {
  const project = projectOf({ "collector/src/errors.ts": ERRORS });
  expect(checkErrorCodes.run(project).examined).toBe(0);
});
