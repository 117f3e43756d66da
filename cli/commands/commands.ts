import type { CommandEntry } from '../session.ts'

/** The commands that call the API, in the order of `zael --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'whoami',
    summary: 'Show the server, and whose token is used',
    load: async () => (await import('./whoami.ts')).defineWhoami,
  },
  {
    name: 'status',
    summary: 'Show the server, or what an entity has left',
    load: async () => (await import('./status.ts')).defineStatus,
  },
  {
    name: 'watch',
    summary: 'Show the use of all limits, live',
    load: async () => (await import('./watch.ts')).defineWatch,
  },
  {
    name: 'explain',
    summary: 'Show which limits a request meets, and where each was set',
    load: async () => (await import('./explain.ts')).defineExplain,
  },
  {
    name: 'usage',
    summary: 'Show the usage of an entity by hour or day',
    load: async () => (await import('./usage.ts')).defineUsage,
  },
  {
    name: 'entities',
    summary: 'List, show, create, change and delete entities',
    load: async () => (await import('./entities.ts')).defineEntities,
  },
  {
    name: 'keys',
    summary: 'List, create, rotate and revoke API keys',
    load: async () => (await import('./keys.ts')).defineKeys,
  },
  {
    name: 'limits',
    summary: 'Show, set, delete and refill the limits of an entity',
    load: async () => (await import('./limits.ts')).defineLimits,
  },
  {
    name: 'defaults',
    summary: 'Show, set and delete the limits of callers that have no own ones',
    load: async () => (await import('./policies.ts')).defineDefaults,
  },
  {
    name: 'policies',
    summary: 'List, show, set, delete and refill limits that many requests share',
    load: async () => (await import('./policies.ts')).definePolicies,
  },
  {
    name: 'models',
    summary: 'List, show, set and delete models',
    load: async () => (await import('./models.ts')).defineModels,
  },
  {
    name: 'upstreams',
    summary: 'List, show, set and delete upstreams',
    load: async () => (await import('./upstreams.ts')).defineUpstreams,
  },
  {
    name: 'apply',
    summary: 'Change zael to what a file declares',
    load: async () => (await import('./apply.ts')).defineApply,
  },
  {
    name: 'diff',
    summary: 'Show how zael differs from a file; exits with 6 if it does',
    load: async () => (await import('./diff.ts')).defineDiff,
  },
  {
    name: 'export',
    summary: 'Print everything that administrators set, as such a file',
    load: async () => (await import('./export.ts')).defineExport,
  },
  {
    name: 'completion',
    summary: 'Print the script by which a shell completes commands',
    load: async () => (await import('./completion.ts')).defineCompletion,
  },
]
