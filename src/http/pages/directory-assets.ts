import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Assets } from '../app-dependencies.ts'

/**
 * Assets of a bundle, in one directory beside the code: all files, the document as `openapi.json`, and the files of the
 * dashboard in `dashboard/`.
 */
export const createDirectoryAssets = (directory: string): Assets => ({
  docsFile: (name) => contents(join(directory, name)),
  dashboardFile: (name) => contents(join(directory, 'dashboard', name)),
  openApiDocument: async () => {
    const bytes = await readFile(join(directory, 'openapi.json'), 'utf8')
    const document: unknown = JSON.parse(bytes)
    if (typeof document !== 'object' || document === null)
      throw new Error('openapi.json contains no document')
    return document
  },
})

const contents = async (path: string): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
