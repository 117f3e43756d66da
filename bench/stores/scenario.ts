/** What is asked of every contender. */
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

/** The bucket names that a call for a key touches: the key's, and the parent's where there is one. */
export const namesOf = (scenario: ScenarioName, key: number): readonly string[] => {
  if (scenario === 'many-keys') return [`key-${key}`]
  if (scenario === 'cascade') return [`child-${key}`, 'parent']
  return [scenario]
}

/** All that the calls of a scenario touch. */
export const allNames = (scenario: ScenarioName, keys: number): readonly string[] => [
  ...new Set(Array.from({ length: keys }, (_, key) => namesOf(scenario, key)).flat()),
]
