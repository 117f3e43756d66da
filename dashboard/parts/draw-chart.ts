import 'uplot/dist/uPlot.min.css'
import './chart.css'
import uPlot from 'uplot'
import { numberText } from './amounts.ts'
import { momentText } from './time.ts'

export interface ChartSeries {
  readonly name: string
  /** A colour of tokens.css: `--series-1`. */
  readonly colour: string
  readonly values: readonly (number | null)[]
}

interface ChartContent {
  readonly series: readonly Pick<ChartSeries, 'name' | 'colour'>[]
  readonly data: uPlot.AlignedData
  readonly heightPx: number
}

/**
 * Draws into `place`, and redraws when its width or the theme changes. Returns a function that removes the
 * chart.
 */
export const drawChart = (place: HTMLElement, content: ChartContent): (() => void) => {
  let plot: uPlot | undefined
  const draw = () => {
    plot?.destroy()
    plot = new uPlot(optionsOf(place, content), content.data, place)
  }
  const sized = new ResizeObserver(() =>
    plot?.setSize({ width: place.clientWidth, height: content.heightPx }),
  )
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const themed = new MutationObserver(draw)
  draw()
  sized.observe(place)
  dark.addEventListener('change', draw)
  themed.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => {
    sized.disconnect()
    dark.removeEventListener('change', draw)
    themed.disconnect()
    plot?.destroy()
  }
}

/** Colours are read from an element: a canvas does not support `light-dark()`. */
const colourIn = (place: HTMLElement, name: string): string => {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const AXIS = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })

/** A short number for the axis: `1.5K`, `9T`. */
const axisText = (value: number): string => AXIS.format(value)

/** Steps of the axis: 1, 2, 5, 10 and so on, because charts show whole numbers. */
const WHOLE_STEPS = Array.from({ length: 17 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat()

const optionsOf = (place: HTMLElement, { series, heightPx }: ChartContent): uPlot.Options => {
  const axis: uPlot.Axis = {
    stroke: colourIn(place, '--text-quiet'),
    grid: { stroke: colourIn(place, '--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: place.clientWidth,
    height: heightPx,
    axes: [axis, { ...axis, size: 52, incrs: WHOLE_STEPS, values: (_plot, splits) => splits.map(axisText) }],
    scales: { y: { range: { min: { pad: 0, hard: 0, mode: 1 }, max: { pad: 0.1, soft: 1, mode: 1 } } } },
    series: [
      { value: (_plot, at) => (at === null ? '' : momentText(at)) },
      ...series.map(({ name, colour }) => ({
        label: name,
        value: (_plot: uPlot, value: number | null) => (value === null ? '' : numberText(value)),
        stroke: colourIn(place, colour),
        width: 2,
        points: { show: true, size: 5, fill: colourIn(place, colour) },
      })),
    ],
  }
}
