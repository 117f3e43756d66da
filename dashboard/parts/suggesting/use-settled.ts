import { useEffect, useState } from 'preact/hooks'

const SETTLED_AFTER_MS = 250

/** `value` as it was when it last had not changed for a moment: not every letter that is typed is asked about. */
export const useSettled = <T extends string | undefined>(value: T): T => {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLED_AFTER_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
