/** How one field is laid out, as in `PUT /_component_template`. */
export interface FieldMapping {
  readonly type: string;
  readonly [parameter: string]: string | number | boolean;
}

/** Types that are no part of the core: the modules that have them, and what does in their place. */
const SUBSTITUTES: Readonly<Record<string, { modules: readonly string[]; instead: FieldMapping }>> =
  {
    match_only_text: {
      modules: ["mapper-extras"],
      instead: { type: "text", norms: false },
    },
    wildcard: {
      modules: ["wildcard", "x-pack-wildcard"],
      instead: { type: "keyword" },
    },
    constant_keyword: {
      modules: ["constant-keyword", "x-pack-constant-keyword"],
      instead: { type: "keyword" },
    },
  };

/**
 * The mapping, or one that answers the same queries where the server has no module for its type: a
 * template that names a type which is not there is refused as a whole.
 */
export function substituteMissingType(
  mapping: FieldMapping,
  modules: readonly string[],
): FieldMapping {
  const substitute = SUBSTITUTES[mapping.type];
  if (substitute === undefined) return mapping;
  const isThere = substitute.modules.some((module) => modules.includes(module));
  return isThere ? mapping : substitute.instead;
}
