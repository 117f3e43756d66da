import type { TestProject } from 'vitest/node'
import { bundledPrograms } from '../../scripts/bundle-programs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The directory of the bundled programs. */
    readonly programs: string
  }
}

/** Provides the programs as `npm start` runs them: they start in a fraction of the time that `--import tsx` takes. */
export const setup = async (project: TestProject): Promise<void> => {
  project.provide('programs', await bundledPrograms())
}
