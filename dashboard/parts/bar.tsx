import { useEffect, useRef } from 'preact/hooks'
import { availableShare, loadOf } from './numbers/load.ts'

interface Props {
  readonly available: number
  readonly capacity: number
}

/**
 * What is available of a capacity: the fuller, the more is left. A picture of numbers that stand beside it as text. It
 * fills over the interval between two readings (`--fill-time`), and empties at once.
 */
export const Bar = ({ available, capacity }: Props) => {
  const share = availableShare(available, capacity)
  const before = useRef(share)
  const isFalling = share < before.current
  useEffect(() => {
    before.current = share
  })
  return (
    <div class={`bar ${loadOf(available, capacity)}${isFalling ? ' falling' : ''}`} aria-hidden="true">
      <div class="bar-fill" style={{ transform: `scaleX(${share})` }} />
    </div>
  )
}
