import { type MetricsSnapshot, sumOfMetrics } from '../../src/platform/prometheus-metrics.ts'

export interface SummedMetrics {
  /** What all processes have counted, in Prometheus' text format; without those that do not answer in time. */
  text(): Promise<string>
  arrived(request: number, metrics: MetricsSnapshot): void
}

export interface SummedMetricsOptions {
  readonly own: () => Promise<MetricsSnapshot>
  /** Asks all others for theirs; says how many there are. */
  readonly ask: (request: number) => number
  readonly patienceMs: number
}

interface Gathering {
  readonly snapshots: MetricsSnapshot[]
  readonly missing: () => number
  readonly done: () => void
}

/** Adds this process's metrics to those of the others. */
export const createSummedMetrics = ({ own, ask, patienceMs }: SummedMetricsOptions): SummedMetrics => {
  const gatherings = new Map<number, Gathering>()
  let last = 0
  const gather = (): Promise<readonly MetricsSnapshot[]> =>
    new Promise((resolve) => {
      const request = ++last
      const snapshots: MetricsSnapshot[] = []
      const done = (): void => {
        clearTimeout(late)
        gatherings.delete(request)
        resolve(snapshots)
      }
      const late = setTimeout(done, patienceMs)
      let asked = Number.POSITIVE_INFINITY
      gatherings.set(request, { snapshots, missing: () => asked - snapshots.length, done })
      asked = ask(request)
      if (asked === 0) done()
    })
  return {
    text: async () => sumOfMetrics([await own(), ...(await gather())]),
    arrived(request, metrics) {
      const gathering = gatherings.get(request)
      gathering?.snapshots.push(metrics)
      if (gathering?.missing() === 0) gathering.done()
    },
  }
}
