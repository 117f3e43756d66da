import { useEffect, useState } from 'preact/hooks'

const TICK_MS = 200

/** Whole seconds until `atMs`, on the clock of `performance.now()`; 0 from then on. */
export const useCountdown = (atMs: number): number => {
  const [seconds, setSeconds] = useState(() => secondsUntil(atMs))
  useEffect(() => {
    setSeconds(secondsUntil(atMs))
    const timer = setInterval(() => {
      const left = secondsUntil(atMs)
      setSeconds(left)
      if (left === 0) clearInterval(timer)
    }, TICK_MS)
    return () => clearInterval(timer)
  }, [atMs])
  return seconds
}

const secondsUntil = (atMs: number): number => Math.max(0, Math.ceil((atMs - performance.now()) / 1000))
