import { basename } from 'node:path'
import type { Metafile } from 'esbuild'

export interface BundledFile {
  readonly path: string
  readonly bytes: number
}

/** The files of a bundle that are loaded with `entry`: itself, and all it imports statically. */
export const filesAtStart = ({ outputs }: Metafile, entry: string): readonly BundledFile[] => {
  const first = Object.keys(outputs).find((path) => basename(path) === entry)
  if (first === undefined) throw new Error(`the bundle has no ${entry}`)
  const seen = new Set<string>([first])
  for (const path of seen) {
    for (const imported of outputs[path]?.imports ?? []) {
      if (imported.kind === 'import-statement' && !imported.external) seen.add(imported.path)
    }
  }
  return [...seen].map((path) => ({ path, bytes: outputs[path]?.bytes ?? 0 }))
}
