/**
 * State that all copies of this package in one thread have in common: what `--import` registers is
 * often not the copy that a bundle holds inside, and what that one is told must reach the other.
 * A change of a state's shape needs a new name.
 *
 * @param create makes it for the first copy that asks
 */
export function sharedState<T extends object>(name: string, create: () => T): T {
  const key = Symbol.for(`clew.state.${name}`);
  const known = Reflect.get(globalThis, key) as T | undefined;
  if (known !== undefined) return known;
  const made = create();
  Reflect.set(globalThis, key, made);
  return made;
}
