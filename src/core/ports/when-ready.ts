/** A value, or a promise of it if something must be read first. A hot route has all it needs in memory for most requests. */
export type Eventual<T> = T | Promise<T>

/** Continues at once with a value, or when its promise resolves: a promise for each step would take a tenth of a request. */
export const whenReady = <T, R>(value: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> =>
  value instanceof Promise ? value.then(next) : next(value)
