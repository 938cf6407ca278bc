import { patchModules } from "../../loading/module-hooks.ts";
import { EXPRESS_PATCHES } from "./express.ts";
import { instrumentFastify } from "./fastify.ts";
import { HONO_PATCHES } from "./hono.ts";
import { KOA_PATCHES } from "./koa.ts";
import { NEST_PATCHES } from "./nest.ts";

/** Lets server spans be named by their routes, and know the errors that frameworks answer. */
export function instrumentFrameworks(): void {
  instrumentFastify();
  patchModules([...EXPRESS_PATCHES, ...KOA_PATCHES, ...HONO_PATCHES, ...NEST_PATCHES]);
}
