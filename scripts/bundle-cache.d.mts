/** The root of the repository. */
export const ROOT: string

/** The directory of all bundles. */
export const CACHE: string

/** The directory of a bundle of the sources as they are now. Undefined: there is none. */
export function currentBundle(): string | undefined

/** Creates a directory for a bundle. Throws the system's error. */
export function newBundle(): string

/** The files of a bundle, as paths from the root. */
export interface BundleFiles {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/**
 * Makes the bundle in `directory` the current one, for as long as its files stay the same; not if one of its inputs may have
 * changed since they began to be read, at `startedMs` (since the epoch). Removes bundles that were replaced more than a week ago.
 */
export function keepBundle(directory: string, files: BundleFiles, startedMs: number): void
