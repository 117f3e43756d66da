/** A bounded map that forgets what was not used for longest. Wiring hands in a library's. */
export interface Cache<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

export type CacheFactory = <V extends object>(options: { readonly max: number }) => Cache<V>
