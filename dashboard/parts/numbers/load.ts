/** From these shares of the capacity in use on, a limit is busy, or nearly used up. */
const BUSY = 0.6
const NEARLY_USED_UP = 0.85

export type Load = 'calm' | 'busy' | 'high'

export const loadOf = (available: number, capacity: number): Load => {
  const used = 1 - available / capacity
  if (used >= NEARLY_USED_UP) return 'high'
  return used >= BUSY ? 'busy' : 'calm'
}
