const SHAPES_MAX = 200;
const REMEMBERED_CHARACTERS_MAX = 256;
const SEGMENTS_MAX = 8;
const SEGMENT_CHARACTERS_MAX = 32;
const WORD = /^[A-Za-z][A-Za-z_.-]*$/;
const VERSION = /^v\d{1,2}$/;
const ID = "{id}";

/**
 * What a path looks like with its variable parts taken out, for the name of a span whose framework
 * tells no route: `/orders/42/lines` gives `/orders/{id}/lines`. Names must be few (OpenTelemetry
 * semantic conventions, HTTP spans, "Name"), so there are at most 200 in a run.
 */
export class PathShapes {
  readonly #seen = new Set<string>();
  /** Most services have a few paths without variable parts: those are shaped once. */
  readonly #shapeOf = new Map<string, string>();

  /** Undefined where the run has as many shapes as it may. */
  find(path: string): string | undefined {
    const shape = this.#shapeOf.get(path) ?? this.#remember(path, shapeOf(path));
    if (this.#seen.has(shape)) return shape;
    if (this.#seen.size >= SHAPES_MAX) return undefined;
    this.#seen.add(shape);
    return shape;
  }

  #remember(path: string, shape: string): string {
    const isShort = path.length <= REMEMBERED_CHARACTERS_MAX;
    if (shape === path && isShort && this.#shapeOf.size < SHAPES_MAX) {
      this.#shapeOf.set(path, shape);
    }
    return shape;
  }
}

function shapeOf(path: string): string {
  const segments = path.split("/", SEGMENTS_MAX + 2);
  const shaped = segments.slice(0, SEGMENTS_MAX + 1).map(shapeOfSegment);
  if (segments.length > SEGMENTS_MAX + 1) shaped.push("…");
  return shaped.join("/");
}

function shapeOfSegment(segment: string): string {
  if (segment === "" || VERSION.test(segment)) return segment;
  return segment.length <= SEGMENT_CHARACTERS_MAX && WORD.test(segment) ? segment : ID;
}
