import type { Hop } from "../hop.ts";

/**
 * The hop at which it first went wrong: of the failed hops within which no other one failed, the
 * earliest. What called it failed because of it; what came later may have. Null where none failed.
 * @param hops by start, as `deriveHops` gives them.
 */
export function findFirstFailure(hops: readonly Hop[]): string | null {
  const failed = hops.filter((hop) => hop.status === "error");
  const blamed = new Set(failed.map(({ parentId }) => parentId));
  return (failed.find(({ id }) => !blamed.has(id)) ?? failed[0])?.id ?? null;
}
