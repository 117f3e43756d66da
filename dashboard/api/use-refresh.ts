import { useEffect } from 'preact/hooks'
import type { Asked } from './use-answer.ts'

/** Asks again `everyMs` after each answer while the page is visible, and at once when it becomes visible again. */
export const useRefresh = (
  { isLoading, reload }: Pick<Asked<unknown>, 'isLoading' | 'reload'>,
  everyMs: number,
): void => {
  useEffect(() => {
    if (isLoading) return
    const reloadIfVisible = () => {
      if (document.visibilityState === 'visible') reload()
    }
    const timer = setTimeout(reloadIfVisible, everyMs)
    document.addEventListener('visibilitychange', reloadIfVisible)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', reloadIfVisible)
    }
  }, [isLoading, reload, everyMs])
}
