import type { LimitInForce } from '../bucket/limit-in-force.ts'

const texts = new WeakMap<readonly LimitInForce[], string>()

/** A text that two lists of limits share only where they charge alike. */
export const limitsText = (limits: readonly LimitInForce[]): string => {
  const known = texts.get(limits)
  if (known !== undefined) return known
  const text = limits
    .map(({ limit, algorithm, version, headroom }) =>
      [limit.name, limit.meter, algorithm.text, version, headroom, limit.refund].join(' '),
    )
    .join('\n')
  texts.set(limits, text)
  return text
}
