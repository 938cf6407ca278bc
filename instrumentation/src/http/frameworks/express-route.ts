/** A router mounted under a path with parameters: what it was asked for, and its template. */
interface Mount {
  readonly path: string;
  readonly template: string;
}

/** Routers nest a few levels deep. */
const MOUNTS_MAX = 32;
/** A template of words and `:names` alone has as many segments as the path that it matches. */
const PLAIN_TEMPLATE = /^[\w\-./:~]*$/;
const mounts = new WeakMap<object, Mount[]>();

/**
 * Express (and whatever is built on it) leaves the matched route on the request: its template,
 * below the path where its router is mounted.
 */
export function findExpressRoute(request: object): string | undefined {
  if (!("route" in request)) return undefined;
  const { route } = request;
  if (typeof route !== "object" || route === null || !("path" in route)) return undefined;
  return templateOf(request, baseUrlOf(request)) + textOf(route.path);
}

/**
 * Remembers that the request goes on in a router below `template`; called when Express has set
 * `baseUrl` to the path that was matched.
 */
export function noteMount(request: object, template: unknown): void {
  const path = baseUrlOf(request);
  const text = textOf(template);
  const isPlain = PLAIN_TEMPLATE.test(text);
  const parent = isPlain ? upTo(path, text.split("/").length - 1) : "";
  const known = mounts.get(request) ?? [];
  if (known.length >= MOUNTS_MAX) return;
  known.push({ path, template: templateOf(request, parent) + text });
  mounts.set(request, known);
}

/** Whether a mount path varies from request to request, so that `baseUrl` is no template. */
export function isVariable(template: unknown): boolean {
  return typeof template !== "string" || /[:*({?+]/.test(template);
}

function baseUrlOf(request: object): string {
  return "baseUrl" in request && typeof request.baseUrl === "string" ? request.baseUrl : "";
}

/** The path with what is variable in it as Express wrote it. */
function templateOf(request: object, path: string): string {
  const mount = mounts.get(request)?.findLast((known) => isBelow(path, known.path));
  return mount === undefined ? path : mount.template + path.slice(mount.path.length);
}

function isBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}

/** The path without its last segments. */
function upTo(path: string, segments: number): string {
  return path.split("/").slice(0, -segments).join("/");
}

/** A route's path is a string, a regular expression or a list of both. */
function textOf(path: unknown): string {
  if (Array.isArray(path)) return path.map(textOf).join(",");
  const text = String(path);
  return text === "/" ? "" : text;
}
