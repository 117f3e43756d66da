import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OWN_TREE } from '../run-seeds.ts'
import type { PlantedFault } from './planted-faults.ts'

/** What a simulation needs of the tree. */
const COPIED = ['src/core', 'src/store/memory', 'verify/simulation', 'package.json', 'tsconfig.json']

/** Does `work` with a copy of the sources in which the fault is planted; the copy is gone afterwards. */
export const withPlanted = async <T>(fault: PlantedFault, work: (tree: string) => Promise<T>): Promise<T> => {
  const tree = mkdtempSync(join(tmpdir(), 'planted-'))
  try {
    for (const path of COPIED) cpSync(join(OWN_TREE, path), join(tree, path), { recursive: true })
    symlinkSync(join(OWN_TREE, 'node_modules'), join(tree, 'node_modules'))
    writeFileSync(join(tree, fault.file), planted(fault, readFileSync(join(tree, fault.file), 'utf8')))
    return await work(tree)
  } finally {
    rmSync(tree, { recursive: true, force: true })
  }
}

/** The source with the fault. Throws where what it changes does not stand there once. */
export const planted = ({ name, file, from, to }: PlantedFault, source: string): string => {
  const places = source.split(from).length - 1
  if (places !== 1)
    throw new Error(`"${name}" cannot be planted: what it changes stands ${places} times in ${file}: ${from}`)
  return source.replace(from, () => to)
}
