import { mintUuidV7 } from "@clew/instrumentation/transaction-id";
import { type Context, Hono } from "hono";
import { ClewError } from "../../errors.ts";
import {
  DEAD_LETTER_ACTS,
  type DeadLetterFilter,
  type DeadLetterState,
} from "../../store/dead-letter.ts";
import type { StoreReader } from "../../store/store.ts";
import { ask } from "../ask-store.ts";
import { given, Parameters } from "../parameters.ts";
import { parseActRequest } from "./act-request.ts";
import { type AdminRules, checkActOrigin, checkAdmin } from "./check-admin.ts";
import {
  type ActAnswer,
  DeadLetterActs,
  type LetterBus,
  type Ordered,
} from "./dead-letter-acts.ts";
import { viewGroup, viewLetter, viewLetterDetail } from "./letter-view.ts";
import { readBody } from "./read-body.ts";

export interface DeadLetterParts {
  readonly config: AdminRules;
  readonly reader: StoreReader;
  readonly letterBus: LetterBus;
  readonly nowNs: () => bigint;
}

/** What is known of a request once it was let in. */
interface AdminEnv {
  readonly Variables: { actor: string };
}

const ACTS = { replay: "replayed", discard: "discarded" } as const;
const ACT_PATHS: ReadonlySet<string> = new Set(
  Object.keys(ACTS).map((name) => `/api/v1/dead-letters/${name}`),
);
const LIST_PARAMETERS = [
  ...["state", "reason", "service", "transaction", "from", "to"],
  ...["group", "cursor", "limit"],
];
const STATES: readonly DeadLetterState[] = ["open", ...DEAD_LETTER_ACTS];
const ACTS_AT_ONCE_MAX = 4;

/** Whether the request may be a POST, which nothing else of the query API takes. */
export function isActPath(path: string): boolean {
  return ACT_PATHS.has(path);
}

/** All of it takes an admin's token (docs/dead-letters.md). */
export function createDeadLetterApi(parts: DeadLetterParts): Hono<AdminEnv> {
  const { config, reader } = parts;
  const desk = new ActDesk(parts);
  const api = new Hono<AdminEnv>();
  api.use("/dead-letters/*", async (c, next) => {
    c.set("actor", checkAdmin(c.req.header("authorization"), config));
    await next();
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
  });
  api.get("/dead-letters", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, LIST_PARAMETERS);
    return c.json(await listLetters(reader, parameters));
  });
  api.get("/dead-letters/:id", async (c) => {
    return c.json(viewLetterDetail(await findLetter(reader, c.req.param("id"))));
  });
  api.get("/dead-letters/:id/original", async (c) => {
    const { original } = await findLetter(reader, c.req.param("id"));
    return c.body(new Uint8Array(original), 200, { "content-type": "application/x-protobuf" });
  });
  api.post("/dead-letters/replay", async (c) => c.json(await desk.act(c, "replay")));
  api.post("/dead-letters/discard", async (c) => c.json(await desk.act(c, "discard")));
  return api;
}

/** Where acts are asked for: so many at once, and none for another's page. */
class ActDesk {
  readonly #acts: DeadLetterActs;
  #underWay = 0;

  constructor({ reader, letterBus: bus, nowNs }: DeadLetterParts) {
    this.#acts = new DeadLetterActs({ reader, bus, nowNs, mintId: mintUuidV7 });
  }

  async act(c: Context<AdminEnv>, verb: keyof typeof ACTS): Promise<ActAnswer> {
    checkActOrigin({
      contentType: c.req.header("content-type"),
      host: c.req.header("host"),
      origin: c.req.header("origin"),
      fetchSite: c.req.header("sec-fetch-site"),
    });
    if (this.#underWay >= ACTS_AT_ONCE_MAX) {
      const why = `${ACTS_AT_ONCE_MAX} such requests are under way`;
      throw new ClewError("QUERY_OVERLOADED", `cannot ${verb} dead letters: ${why}`);
    }
    this.#underWay++;
    try {
      const request = parseActRequest(await readBody(c.req.raw));
      const ordered = { request, act: ACTS[verb], actor: c.get("actor") };
      return await this.#acts.perform(checkOrder(ordered));
    } finally {
      this.#underWay--;
    }
  }
}

/** A letter that goes for good says why; one that is replaced can only be replayed. */
function checkOrder(ordered: Ordered): Ordered {
  const { act, request } = ordered;
  if (act !== "discarded") return ordered;
  if (request.edited !== undefined) {
    throw new ClewError("PARAMETER_INVALID", "cannot discard what was edited: replay it");
  }
  if (request.reason.trim() !== "") return ordered;
  throw new ClewError("PARAMETER_INVALID", "cannot discard without a reason: give it as `reason`");
}

async function listLetters(reader: StoreReader, parameters: Parameters): Promise<object> {
  const filter: DeadLetterFilter = {
    ...given("state", parameters.oneOf("state", STATES)),
    ...given("reason", parameters.text("reason")),
    ...given("service", parameters.text("service")),
    ...given("transactionId", parameters.text("transaction")),
    ...parameters.window(),
    ...given("cursor", parameters.text("cursor")),
    limit: parameters.limit(),
  };
  if (parameters.oneOf("group", ["reason"]) !== undefined) {
    const { items, isCut } = await ask(reader.deadLetterGroups(filter));
    return { groups: items.map(viewGroup), isCut };
  }
  const { items, cursor, isCut } = await ask(reader.deadLetters(filter));
  return { deadLetters: items.map(viewLetter), cursor, isCut };
}

async function findLetter(reader: StoreReader, id: string) {
  const letter = await ask(reader.findDeadLetter(id));
  if (letter !== undefined) return letter;
  const why = "no dead letter has this id, or its day is over";
  throw new ClewError("NOT_FOUND", `cannot show dead letter ${id.slice(0, 200)}: ${why}`);
}
