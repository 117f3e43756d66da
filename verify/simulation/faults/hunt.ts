import { runSeeds } from '../run-seeds.ts'
import { withBundle } from './bundled.ts'
import { PLANTED_FAULTS, type PlantedFault } from './planted-faults.ts'

/** How a planted fault was found. */
export interface Hunted {
  readonly fault: string
  /** The first seed, from 1 on, that shows it. Undefined: none did. */
  readonly seed: number | undefined
  readonly invariants: readonly string[]
}

/** Runs seeds from 1 on with the fault until one shows it, or `most` have not. */
export const hunt = (fault: PlantedFault, most: number): Promise<Hunted> =>
  withBundle(fault, async (script) => {
    const { failures } = await runSeeds(script, { first: 1, last: most, untilFailure: true })
    const [failure] = failures
    return {
      fault: fault.name,
      seed: failure?.seed,
      invariants: [...new Set((failure?.violated ?? []).map(({ invariant }) => invariant))],
    }
  })

/** Hunts all faults, `atOnce` at a time, and returns them in their order. `onHunted` is called as soon as a hunt ends. */
export const huntAll = async (
  most: number,
  atOnce: number,
  onHunted: (hunted: Hunted) => void,
): Promise<readonly Hunted[]> => {
  const found = new Map<PlantedFault, Hunted>()
  const left = PLANTED_FAULTS.values()
  const next = async (): Promise<void> => {
    for (const fault of left) {
      const hunted = await hunt(fault, most)
      found.set(fault, hunted)
      onHunted(hunted)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, next))
  return PLANTED_FAULTS.flatMap((fault) => found.get(fault) ?? [])
}
