import { demoScenarios } from './demo-scenarios.ts'
import { createMemoryWorld } from './policy-world.ts'

demoScenarios('a store in memory', () => createMemoryWorld())
