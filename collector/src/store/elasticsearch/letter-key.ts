import { createHash } from "node:crypto";

/** By which all that is told of one dead letter is found: ids may be longer than an index takes. */
export function letterKey(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}
