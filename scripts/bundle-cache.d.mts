/** The root of the repository. */
export const ROOT: string

/** The directory of all bundles. */
export const CACHE: string

/** The directory of a bundle of the sources as they are now. Undefined: there is none. */
export function currentBundle(): string | undefined

/** Creates a directory for a bundle. Throws the system's error. */
export function newBundle(): string

/**
 * Makes the bundle in `directory` the current one, unless one of its `inputs` may have changed since they began to be read,
 * at `startedMs` (since the epoch). Removes bundles that were replaced more than a week ago.
 */
export function keepBundle(directory: string, inputs: readonly string[], startedMs: number): void
