import { ClewError, type ErrorCode, toClewError } from "../errors.ts";
import { withDeadline } from "./deadline.ts";
import { respondWithProblem } from "./problem.ts";

/** A part without which the collector cannot do its work; `check` rejects with the reason. */
export interface Part {
  readonly name: string;
  readonly check: () => Promise<void>;
}

const CHECK_MS_MAX = 5000;

interface PartState {
  readonly name: string;
  readonly isReady: boolean;
  readonly code?: ErrorCode;
  readonly detail?: string;
}

/** `GET /readyz`: 200 with every part's name, or 503 that says which part is not ready, and why. */
export async function respondWithReadiness(parts: readonly Part[]): Promise<Response> {
  const states = await Promise.all(parts.map(checkPart));
  const failing = states.filter((state) => !state.isReady);
  const [first] = failing;
  if (!first) {
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    return new Response(JSON.stringify({ status: "ready", parts: states }), { headers });
  }
  const why = failing.map((state) => `${state.name}: ${state.detail}`).join("; ");
  return respondWithProblem(new ClewError(unavailable(first.code), why), { parts: states });
}

async function checkPart({ name, check }: Part): Promise<PartState> {
  try {
    await withDeadline(check(), {
      ms: CHECK_MS_MAX,
      code: "STORE_UNAVAILABLE",
      what: `check the ${name}`,
    });
    return { name, isReady: true };
  } catch (thrown) {
    const error = toClewError(thrown);
    return { name, isReady: false, code: error.code, detail: error.message };
  }
}

/** A probe asks for 503 whatever went wrong, so a code of another status is not passed on. */
function unavailable(code: ErrorCode | undefined): ErrorCode {
  const status = code && new ClewError(code, "").kind.status;
  return code && status === 503 ? code : "STORE_UNAVAILABLE";
}
