/** Whether a file, or a folder on the way to it, is not there: taken by somebody else, mostly. */
export function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR";
}
