import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import type { ChartSeries } from './draw-chart.ts'

interface Props {
  /** What it shows, for screen readers. */
  readonly label: string
  /** Seconds since the epoch, ascending. */
  readonly times: readonly number[]
  readonly series: readonly ChartSeries[]
}

const HEIGHT_PX = 220

/** Lines over time. uPlot is loaded with the first chart; the numbers belong into a table beside it as well. */
export const Chart = ({ label, times, series }: Props) => {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const { current } = place
    if (!current) return
    let remove = () => {}
    let isGone = false
    const draw = async () => {
      const { drawChart } = await import('./draw-chart.ts')
      if (isGone) return
      const data: uPlot.AlignedData = [[...times], ...series.map(({ values }) => [...values])]
      remove = drawChart(current, { series, data, heightPx: HEIGHT_PX })
    }
    void draw()
    return () => {
      isGone = true
      remove()
    }
  }, [times, series])
  return (
    <div class="chart" ref={place} role="img" aria-label={label} style={{ minHeight: `${HEIGHT_PX}px` }} />
  )
}
