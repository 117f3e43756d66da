import type { WaitTime } from '../../api/answers.ts'
import { spanText } from '../../parts/time.ts'

/** When a request may pass, in words: `May pass in 3.2 s, limited by tpm`. */
export const waitText = ({ wait_seconds: seconds, limiting }: WaitTime): string => {
  const by = limiting === null ? '' : `, limited by ${limiting}`
  if (seconds === null) return `Can never pass${by}: the limit is smaller than the request, or paused`
  return seconds === 0 ? 'May pass now' : `May pass in ${spanText(seconds)}${by}`
}
