import { figure } from '../figure.ts'

export interface BarChart {
  readonly title: string
  /** The unit of the values. */
  readonly unit: string
  /** `log`: for values that differ by factors of thousands. */
  readonly scale: 'linear' | 'log'
  readonly groups: readonly BarGroup[]
}

export interface BarGroup {
  readonly title: string
  readonly bars: readonly Bar[]
}

export interface Bar {
  readonly title: string
  readonly value: number
}

const WIDTH = 880
const LABELS = 270
const NUMBERS = 110
const BAR = 18
const STEP = 24
const HEAD = 64
const GROUP_HEAD = 34
const COLORS = ['#7a8495', '#c2752d', '#d8a36b', '#3b6fd4', '#2e9e6b']

/** The chart has its own background, so that it is legible on light and dark pages. */
export const barChart = (chart: BarChart): string => {
  const { title, unit, groups } = chart
  const titles = [...new Set(groups.flatMap(({ bars }) => bars.map((bar) => bar.title)))]
  const colorOf = (bar: Bar): string => COLORS[titles.indexOf(bar.title) % COLORS.length] ?? ''
  const widthOf = scaleOf(chart)
  let y = HEAD
  const drawn = groups.map((group) => {
    const top = y
    y += GROUP_HEAD + group.bars.length * STEP
    return drawGroup(group, top, widthOf, colorOf)
  })
  const height = y + 20
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="13" role="img" aria-label="${escaped(`${title}, ${unit}`)}">
<style>
.ground{fill:#f7f8fa}.strong{fill:#1d2430;font-weight:600}.text{fill:#3d4654}
@media (prefers-color-scheme: dark){.ground{fill:#171c24}.strong{fill:#eef1f6}.text{fill:#b9c2d0}}
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="14"/>
<text class="strong" x="24" y="32" font-size="16">${escaped(title)}</text>
<text class="text" x="24" y="52">${escaped(unit)}${chart.scale === 'log' ? '; each step of length is a factor' : ''}</text>
${drawn.join('\n')}
</svg>
`
}

const drawGroup = (
  { title, bars }: BarGroup,
  top: number,
  widthOf: (value: number) => number,
  colorOf: (bar: Bar) => string,
): string => {
  const lines = bars.map((bar, at) => {
    const y = top + GROUP_HEAD + at * STEP
    const width = widthOf(bar.value).toFixed(1)
    return `<text class="text" x="${LABELS - 10}" y="${y + 14}" text-anchor="end">${escaped(bar.title)}</text><rect x="${LABELS}" y="${y}" width="${width}" height="${BAR}" rx="3" fill="${colorOf(bar)}"/><text class="strong" x="${LABELS + Number(width) + 8}" y="${y + 14}">${figure(bar.value)}</text>`
  })
  return `<text class="strong" x="24" y="${top + 24}">${escaped(title)}</text>\n${lines.join('\n')}`
}

/** The length of a bar in px: 0 for a value of 0; on a log scale the smallest value above 0 has a short bar. */
const scaleOf = ({ scale, groups }: BarChart): ((value: number) => number) => {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value)).filter((value) => value > 0)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const room = WIDTH - LABELS - NUMBERS
  if (scale === 'linear') return (value) => (value <= 0 ? 0 : (value / most) * room)
  const decades = Math.max(1, Math.log10(most / least))
  return (value) => (value <= 0 ? 0 : (0.04 + (0.96 * Math.log10(value / least)) / decades) * room)
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
