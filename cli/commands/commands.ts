import type { CommandEntry } from '../session.ts'

/** The commands that call the API, in the order of `zael --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'whoami',
    summary: 'Show the server, and whose token is used',
    load: async () => (await import('./whoami.ts')).defineWhoami,
  },
  {
    name: 'entities',
    summary: 'List, show, create, change and delete entities',
    load: async () => (await import('./entities.ts')).defineEntities,
  },
]
