import { readFileSync } from "node:fs";
import { join } from "node:path";

const PAGE = join(import.meta.dirname, "../../docs/shippers.md");
const PORT_IN_DOCS = /\b4318\b/g;

/** The example of docs/shippers.md that begins so, for another port. */
export function shipperExample(beginning: string, port: number): string {
  const blocks = readFileSync(PAGE, "utf8").matchAll(/^```[a-z]*\n([\s\S]*?)^```$/gm);
  const found = [...blocks].map(([, text = ""]) => text).find((text) => text.startsWith(beginning));
  if (found === undefined)
    throw new Error(`docs/shippers.md has no example that begins ${beginning}`);
  return found.replace(PORT_IN_DOCS, String(port));
}
