import { useEffect, useRef } from 'preact/hooks'

interface BarProps {
  readonly available: number
  readonly capacity: number
}

/**
 * The available share of a capacity. A picture: the numbers must be beside it as text. It grows over the interval between
 * two readings (`--fill-time`), and shrinks at once.
 */
export const Bar = ({ available, capacity }: BarProps) => {
  const share = availableShare(available, capacity)
  const before = useRef(share)
  const isFalling = share < before.current
  useEffect(() => {
    before.current = share
  })
  return (
    <div class={`bar ${loadLevel(available, capacity)}${isFalling ? ' falling' : ''}`} aria-hidden="true">
      <div class="bar-fill" style={{ transform: `scaleX(${share})` }} />
    </div>
  )
}

/** Shares of the capacity in use from which a limit is busy, or nearly used up. */
const BUSY = 0.6
const NEARLY_USED_UP = 0.85

/** `paused`: a limit of 0, which denies every request that it counts. */
export type LoadLevel = 'calm' | 'busy' | 'high' | 'paused'

export const isPaused = (capacity: number): boolean => capacity === 0

/** The available share of a capacity, 0 to 1. A debt counts as 0. */
export const availableShare = (available: number, capacity: number): number =>
  isPaused(capacity) ? 0 : Math.max(0, Math.min(available / capacity, 1))

export const loadLevel = (available: number, capacity: number): LoadLevel => {
  if (isPaused(capacity)) return 'paused'
  const used = 1 - available / capacity
  if (used >= NEARLY_USED_UP) return 'high'
  return used >= BUSY ? 'busy' : 'calm'
}
