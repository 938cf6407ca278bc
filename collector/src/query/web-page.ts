import { readFile, stat } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";
import { ClewError } from "../errors.ts";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** Log lines are hostile text: even where one got into the page, nothing foreign may run. */
const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; " +
    "form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Where the page itself finds what belongs to the rest of the path. */
const CLIENT_ROUTE = "/transactions/";
/** Vite puts a hash of its content into the name of each file there. */
const HASHED_FOLDER = "/assets/";
const FOREVER = "public, max-age=31536000, immutable";

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Clew</title>
<h1>The web page is not built</h1>
<p>Build it with <code>npm run build</code>, then load this page again.
The query API is at <a href="/api/v1/transactions">/api/v1/transactions</a>.</p></html>
`;

/**
 * A file of the built web page. A path without an extension is a place within the page
 * (`/transactions/<id>`), which its own router knows: the answer is `index.html`.
 * @throws ClewError NOT_FOUND
 */
export async function respondWithWebPage(request: PageRequest): Promise<Response> {
  const path = findPath(request.path);
  // A transaction ID may have a dot in it, and is no file for that.
  const isFile = path === undefined || (extname(path) !== "" && !path.startsWith(CLIENT_ROUTE));
  if (isFile) {
    const file = path === undefined ? undefined : await findFile(join(request.distDir, path));
    if (path === undefined || file === undefined) {
      throw new ClewError("NOT_FOUND", "cannot find this file of the web page");
    }
    return respondWithFile({ path, ifNoneMatch: request.ifNoneMatch, ...file });
  }
  const index = await findFile(join(request.distDir, "index.html"));
  if (index) {
    return respondWithFile({ path: "/index.html", ifNoneMatch: request.ifNoneMatch, ...index });
  }
  const headers = { ...SECURITY_HEADERS, "content-type": "text/html; charset=utf-8" };
  return new Response(NOT_BUILT, {
    status: 200,
    headers: { ...headers, "cache-control": "no-store" },
  });
}

export interface PageRequest {
  /** Absolute folder of the built page. */
  readonly distDir: string;
  /** The request's path, as sent. */
  readonly path: string;
  readonly ifNoneMatch: string | undefined;
}

interface FoundFile {
  readonly content: Buffer<ArrayBuffer>;
  readonly etag: string;
}

/** Undefined for a path that is not well formed, or leads out of the folder. */
function findPath(sent: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(sent);
  } catch {
    return undefined;
  }
  const path = normalize(decoded).replaceAll(sep, "/");
  const isInside = path.startsWith("/") && !path.includes("/../") && !path.includes("\0");
  return isInside ? path : undefined;
}

async function findFile(file: string): Promise<FoundFile | undefined> {
  try {
    const { size, mtimeMs } = await stat(file);
    const content = await readFile(file);
    return { content, etag: `"${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}"` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw error;
  }
}

function respondWithFile(
  file: FoundFile & { path: string; ifNoneMatch: string | undefined },
): Response {
  const headers = {
    ...SECURITY_HEADERS,
    "content-type": MEDIA_TYPES[extname(file.path)] ?? "application/octet-stream",
    "cache-control": file.path.startsWith(HASHED_FOLDER) ? FOREVER : "no-cache",
    etag: file.etag,
  };
  if (file.ifNoneMatch === file.etag) return new Response(null, { status: 304, headers });
  return new Response(file.content, { status: 200, headers });
}
