interface Props {
  readonly available: number
  readonly capacity: number
}

/** From these shares of the capacity in use on, a limit is busy, or nearly used up. */
const BUSY = 0.6
const NEARLY_USED_UP = 0.85

export const loadOf = (available: number, capacity: number): 'calm' | 'busy' | 'high' => {
  const used = 1 - available / capacity
  if (used >= NEARLY_USED_UP) return 'high'
  return used >= BUSY ? 'busy' : 'calm'
}

/** What is available of a capacity: the fuller, the more is left. A picture of numbers that stand beside it as text. */
export const Bar = ({ available, capacity }: Props) => {
  const share = Math.max(0, Math.min(available / capacity, 1))
  return (
    <div class={`bar ${loadOf(available, capacity)}`} aria-hidden="true">
      <div class="bar-fill" style={{ transform: `scaleX(${share})` }} />
    </div>
  )
}

const numbers = new Intl.NumberFormat('en-US')

/** A whole number with its thousands apart. */
export const numberText = (value: number): string => numbers.format(value)
