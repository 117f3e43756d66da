/**
 * What this process has changed of the configuration: caches forget what they know of it. An entity's change covers
 * its keys, its limits and what its children inherit from it; `all` is for defaults, which bind everyone.
 */
export interface ConfigChange {
  readonly entityId?: string
  readonly modelId?: string
  readonly all?: true
}

export type OnConfigChange = (change: ConfigChange) => void
