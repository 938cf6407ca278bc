import type { Hono } from "hono";
import { ClewError } from "../errors.ts";
import type { StoreReader } from "../store/store.ts";
import { ask } from "./ask-store.ts";
import { given, invalidParameter, Parameters } from "./parameters.ts";

const TRACE_ID = /^[0-9a-f]{32}$/;

/** `GET /traces/{traceId}` (docs/api.md). */
export function addTraceRoutes(app: Hono, reader: StoreReader): void {
  app.get("/traces/:traceId", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, ["cursor", "limit"]);
    const traceId = checkTraceId(c.req.param("traceId"));
    const cursor = parameters.text("cursor");
    const filter = { traceId, ...given("cursor", cursor), limit: parameters.limit() };
    const page = await ask(reader.traceSpans(filter));
    if (page.items.length === 0 && cursor === undefined) {
      throw new ClewError("NOT_FOUND", `cannot show trace ${traceId}: no span carries this ID`);
    }
    const ids = page.items.flatMap(({ transactionId }) => transactionId ?? []);
    return c.json({
      traceId,
      transactionIds: [...new Set(ids)],
      records: page.items,
      cursor: page.cursor,
      isCut: page.isCut,
    });
  });
}

/** W3C Trace Context has them in lower case; people paste what they find. */
function checkTraceId(id: string): string {
  const traceId = id.toLowerCase();
  if (TRACE_ID.test(traceId)) return traceId;
  throw invalidParameter({ name: "traceId", value: id, allowed: "32 hex digits" });
}
