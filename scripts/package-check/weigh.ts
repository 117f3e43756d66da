import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { ScriptError } from '../run-command.ts'
import type { Consumer } from './packed-package.ts'

/** What someone bundles, what of the package may be in it, and how much. */
export interface Weighed {
  readonly name: string
  readonly code: string
  readonly atMostKb: number
  /** Paths of modules that this code has no use for. */
  readonly without: RegExp
}

/** Bundles code that uses a part of the package, and sees that the rest is left out. */
export const weigh = async (
  { directory }: Consumer,
  { name, code, atMostKb, without }: Weighed,
): Promise<void> => {
  const entry = join(directory, `${name}.mjs`)
  await writeFile(entry, code)
  const { metafile, outputFiles } = await build({
    absWorkingDir: directory,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'warning',
  })
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  )
  const needless = used.filter((path) => without.test(path))
  if (needless.length > 0) throw new ScriptError(`${name} holds what it does not use: ${needless.join(', ')}`)
  const kilobytes = outputFiles.reduce((sum, { contents }) => sum + contents.byteLength / 1000, 0)
  console.log(`${name}: ${kilobytes.toFixed(1)} KB minified (at most ${atMostKb})`)
  if (kilobytes > atMostKb) throw new ScriptError(`${name} is larger than ${atMostKb} KB`)
}
