#!/usr/bin/env node
// The command line. Plain JavaScript, so that a Node too old for TypeScript is told so in one line.
import module from "node:module";
import { fileURLToPath } from "node:url";

const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split(".", 1)[0]) < NODE_MAJOR_MIN) {
  const have = `this is Node ${process.versions.node}`;
  process.stderr.write(`cannot start clew: it needs Node ${NODE_MAJOR_MIN} or later, ${have}\n`);
  process.exit(1);
}
// Compiled code is kept between starts. Not in the shared temporary folder, where another user
// could put code for us to run; where this folder cannot be written, nothing is kept.
module.enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/clew", import.meta.url)));
const { main } = await import("../src/main.ts");
await main(process.argv.slice(2));
