type Http = typeof import("node:http");

let loaded: Http | undefined;

/**
 * node:http, once somebody else has loaded it. Loading it takes longer than all of this package's
 * own files for IDs, and many a program of one command never speaks HTTP.
 */
export function builtinHttp(): Http {
  loaded ??= process.getBuiltinModule("node:http");
  return loaded;
}
