import { expect, it } from "vitest";
import { checkCatches } from "./check-catches.ts";
import { projectOf } from "./project.ts";

const run = (text: string) => checkCatches.run(projectOf({ "a/src/x.ts": text }));

it.for([
  "try { f(); } catch {}",
  "try { f(); } catch (e) {\n}",
  "try { f(); } catch { /* ignore */ }",
  "f().catch(() => {});",
  "f().catch(() => undefined);",
  "f().catch(function () {});",
])("finds %s", (text) => {
  const { findings, examined } = run(text);
  expect(findings.map(({ line, rule }) => `${line}: ${rule}`)).toEqual(["1: no empty catch"]);
  expect(examined).toBe(1);
});

it.for([
  "try { f(); } catch (error) { g(error); }",
  "try { f(); } catch { /* The file may be gone: another process deletes it. */ }",
  "f().catch((error) => g(error));",
  "f().catch(g);",
  "// A second end of the stream is no news.\nf().catch(() => undefined);",
])("passes %s", (text) => {
  expect(run(text).findings).toEqual([]);
});
