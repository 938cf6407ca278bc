/**
 * Several lists, each in descending order, as one: of equal heads that of the earlier list comes
 * first. Whoever stops early ends the sources as well.
 */
export function* mergeDescending<T>(
  sources: readonly Generator<T>[],
  compare: (a: T, b: T) => number,
): Generator<T> {
  const heads = sources.map(next);
  try {
    for (;;) {
      let greatest = -1;
      for (const [index, head] of heads.entries()) {
        if (head === undefined) continue;
        const best = heads[greatest];
        if (best === undefined || compare(head.value, best.value) > 0) greatest = index;
      }
      const head = heads[greatest];
      const source = sources[greatest];
      if (head === undefined || source === undefined) return;
      yield head.value;
      heads[greatest] = next(source);
    }
  } finally {
    for (const source of sources) source.return(undefined);
  }
}

function next<T>(source: Generator<T>): { readonly value: T } | undefined {
  const step = source.next();
  return step.done === true ? undefined : { value: step.value };
}
