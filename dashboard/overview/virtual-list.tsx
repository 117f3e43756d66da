import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'

interface VirtualListProps<T> {
  readonly items: readonly T[]
  readonly label: string
  /** px; sets the height of the row. */
  heightOf(item: T): number
  keyOf(item: T): string
  readonly children: (item: T) => ComponentChildren
}

/** Rows rendered beyond the window, for keyboard users and fast scrolling. */
const OVERSCAN_ROWS = 8

/** A list of any length that scrolls with the window and renders only the visible rows. */
export const VirtualList = <T,>({ items, label, heightOf, keyOf, children }: VirtualListProps<T>) => {
  const list = useRef<HTMLUListElement>(null)
  const offsets = useMemo(() => offsetsOf(items.map(heightOf)), [items, heightOf])
  const { start, end } = useVisibleRange(list, offsets)
  return (
    <ul ref={list} class="virtual-list" aria-label={label} style={{ height: `${offsets.at(-1)}px` }}>
      {items.slice(start, end).map((item, at) => (
        <li
          key={keyOf(item)}
          aria-posinset={start + at + 1}
          aria-setsize={items.length}
          style={{ transform: `translateY(${offsets[start + at]}px)`, height: `${heightOf(item)}px` }}
        >
          {children(item)}
        </li>
      ))}
    </ul>
  )
}

const NO_ROWS: Range = { start: 0, end: 0 }

const useVisibleRange = (
  list: { readonly current: HTMLElement | null },
  offsets: readonly number[],
): Range => {
  const [range, setRange] = useState(NO_ROWS)
  const measure = () => {
    if (!list.current) return
    const { top } = list.current.getBoundingClientRect()
    const next = visibleRange(offsets, -top, innerHeight - top, OVERSCAN_ROWS)
    setRange((last) => (last.start === next.start && last.end === next.end ? last : next))
  }
  const latest = useRef(measure)
  latest.current = measure
  useLayoutEffect(measure, [offsets])
  useEffect(() => {
    const onChange = () => latest.current()
    addEventListener('scroll', onChange, { passive: true })
    addEventListener('resize', onChange)
    return () => {
      removeEventListener('scroll', onChange)
      removeEventListener('resize', onChange)
    }
  }, [])
  return range
}

/** The offset of each row, and last the total height. */
export const offsetsOf = (heights: readonly number[]): readonly number[] => {
  const offsets = [0]
  let sum = 0
  for (const height of heights) {
    sum += height
    offsets.push(sum)
  }
  return offsets
}

/** Rows from `start` (inclusive) to `end` (exclusive). */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The rows between two offsets, and `overscan` more at both ends. */
export const visibleRange = (
  offsets: readonly number[],
  topPx: number,
  bottomPx: number,
  overscan: number,
): Range => {
  const count = offsets.length - 1
  const start = rowAt(offsets, topPx)
  const end = rowAt(offsets, bottomPx) + 1
  return { start: Math.max(0, start - overscan), end: Math.min(count, end + overscan) }
}

/** The row at an offset; the first or the last one outside the list. */
const rowAt = (offsets: readonly number[], atPx: number): number => {
  let low = 0
  let high = Math.max(0, offsets.length - 2)
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((offsets[middle] ?? 0) <= atPx) low = middle
    else high = middle - 1
  }
  return low
}
