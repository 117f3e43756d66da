import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import type { ChartSeries } from './draw-chart.ts'

interface Props {
  /** The text for screen readers. */
  readonly label: string
  /** Seconds since the epoch, ascending. */
  readonly times: readonly number[]
  readonly series: readonly ChartSeries[]
}

const HEIGHT_PX = 220

/**
 * Lines over time. uPlot is loaded with the first chart. A chart is a picture: a table beside it must have
 * the same numbers.
 */
export const Chart = ({ label, times, series }: Props) => {
  const element = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const { current } = element
    if (!current) return
    let remove = () => {}
    let isRemoved = false
    const draw = async () => {
      const { drawChart } = await import('./draw-chart.ts')
      if (isRemoved) return
      const data: uPlot.AlignedData = [[...times], ...series.map(({ values }) => [...values])]
      remove = drawChart(current, { series, data, heightPx: HEIGHT_PX })
    }
    void draw()
    return () => {
      isRemoved = true
      remove()
    }
  }, [times, series])
  return (
    <div class="chart" ref={element} role="img" aria-label={label} style={{ minHeight: `${HEIGHT_PX}px` }} />
  )
}
