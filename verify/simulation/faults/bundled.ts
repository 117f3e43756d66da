import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { PlantedFault, SourceChange } from './planted-faults.ts'

/** The root of the checkout whose sources are bundled. */
const TREE = join(import.meta.dirname, '../../..')

/**
 * Calls `work` with the path of a script that runs seeds: the sources, unchanged or with one planted fault, bundled into
 * one file so that each process starts quickly. Deletes the file afterwards. Throws if the fault cannot be planted.
 */
export const withBundle = async <T>(
  fault: PlantedFault | undefined,
  work: (script: string) => Promise<T>,
): Promise<T> => {
  const directory = mkdtempSync(join(tmpdir(), 'simulation-'))
  const script = join(directory, 'seeds.mjs')
  try {
    await build({
      entryPoints: [join(TREE, 'verify/simulation/seeds-process.ts')],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'silent',
      plugins: fault ? [planting(fault)] : [],
    })
    return await work(script)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const planting = (fault: PlantedFault): Plugin => ({
  name: 'planting',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const change = changesOf(fault).find(({ file }) => path === join(TREE, file))
      return change && { contents: planted(fault.name, change, readFileSync(path, 'utf8')), loader: 'ts' }
    })
  },
})

/** The changes of a fault, each to another file. */
export const changesOf = (fault: PlantedFault): readonly SourceChange[] =>
  fault.also === undefined ? [fault] : [fault, fault.also]

/** The source with a change of the fault `name`. Throws unless the text to replace occurs exactly once. */
export const planted = (name: string, { file, from, to }: SourceChange, source: string): string => {
  const places = source.split(from).length - 1
  if (places !== 1)
    throw new Error(`"${name}" cannot be planted: its text occurs ${places} times in ${file}: ${from}`)
  return source.replace(from, () => to)
}
