/** The object with one more property, which is read by name alone: no spread, JSON, `util.inspect` or logger finds it. */
export function withUnlogged<T extends object, K extends string>(
  object: T,
  key: K,
  value: string,
): T & Record<K, string> {
  return Object.freeze(Object.defineProperty(object, key, { get: () => value })) as T & Record<K, string>;
}
