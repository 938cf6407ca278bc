import { ClewError } from "../../errors.ts";
import type { FileKind } from "./file-kind.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EISDIR: "it is a folder; name files in it, as in 'folder/*.log'",
  EMFILE: "this process has too many files open (ulimit -n)",
  ELOOP: "its links lead in a circle",
  Z_DATA_ERROR: "its compression is broken",
  Z_BUF_ERROR: "its compression ends too early",
  ZSTD_error_prefix_unknown: "its compression is broken",
};

const KINDS: Readonly<Record<string, string>> = {
  gzip: "it is compressed; ship it without --follow",
  zstd: "it is compressed; ship it without --follow",
  binary: "it is no text: it holds NUL bytes (UTF-16 needs a byte order mark)",
};

/** One line: which file, why, and where it helps, what to do. */
export function whyUnread(fault: {
  file: string | undefined;
  kind?: FileKind;
  error?: unknown;
}): string {
  const { file, kind, error } = fault;
  return `cannot read ${file ?? "stdin"}: ${KINDS[kind ?? ""] ?? reason(error)}`;
}

export function toReadError(error: unknown, file: string | undefined): unknown {
  if (error instanceof ClewError || !(error instanceof Error)) return error;
  return new ClewError("CONFIG_INVALID", whyUnread({ file, error }), { cause: error });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return REASONS[code] ?? error.message;
}
