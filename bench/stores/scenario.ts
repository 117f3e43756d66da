/** The workloads that every contender runs. */
export interface Scenario {
  readonly name: 'hot-key' | 'many-keys' | 'cascade' | 'denied'
  readonly title: string
}

export type ScenarioName = Scenario['name']

export const SCENARIOS: readonly Scenario[] = [
  { name: 'hot-key', title: 'hot key' },
  { name: 'many-keys', title: '1000 keys' },
  { name: 'cascade', title: '1000 keys of one hot parent' },
  { name: 'denied', title: 'denied caller repeats' },
]

/** The bucket names that a call for a key uses: the key's, and its parent's if there is one. */
export const namesOf = (scenario: ScenarioName, key: number): readonly string[] => {
  if (scenario === 'many-keys') return [`key-${key}`]
  if (scenario === 'cascade') return [`child-${key}`, 'parent']
  return [scenario]
}

/** All bucket names that the calls of a scenario use. */
export const allNames = (scenario: ScenarioName, keys: number): readonly string[] => [
  ...new Set(Array.from({ length: keys }, (_, key) => namesOf(scenario, key)).flat()),
]
