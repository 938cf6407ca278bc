import type { IncomingMessage, ServerResponse } from "node:http";
import type { HealthCheck } from "./health-check.ts";
import { allChecks } from "./health-checks.ts";

const ALIVE = "/healthz";
const READY = "/readyz";

/** What is told of one check. Messages stay inside: they may hold addresses and user names. */
interface CheckAnswer {
  readonly name: string;
  readonly state: string;
  readonly critical: boolean;
  readonly durationMs?: number;
  /** The error's code or class. */
  readonly error?: string;
}

/**
 * Answers `/healthz` (200 while the process answers) and `/readyz`: 200 where every critical check
 * is well, else 503 as problem+json (RFC 9457) that names the failing ones.
 *
 * @returns false where the request is for neither; then nothing was done
 */
export async function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const [path] = (request.url ?? "").split("?", 1);
  if (path === ALIVE) {
    send(response, 200, { status: "alive" });
    return true;
  }
  if (path !== READY) return false;
  const checks = allChecks();
  await Promise.all(checks.map((check) => check.refresh()));
  const failing = checks.filter((check) => check.isCritical && check.state !== "ok");
  const answers = checks.map(describe);
  if (failing.length === 0) {
    send(response, 200, { status: "ready", checks: answers });
    return true;
  }
  send(response, 503, {
    type: "about:blank",
    title: "Service Unavailable",
    status: 503,
    detail: `not ready: ${failing.map((check) => check.name).join(", ")}`,
    checks: answers,
  });
  return true;
}

function send(response: ServerResponse, status: number, body: object): void {
  const type = status === 200 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}

function describe(check: HealthCheck): CheckAnswer {
  const { name, state, isCritical, durationMs } = check;
  return {
    ...{ name, state, critical: isCritical },
    ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs) }),
    ...(state === "failing" ? { error: codeOf(check.error) } : {}),
  };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
