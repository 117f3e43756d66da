import { cpus, loadavg, totalmem } from 'node:os'

/** What figures were taken on: `2 × AMD EPYC, 24 GiB, Node v20.20.2`. */
export const machine = (): string => {
  const all = cpus()
  return `${all.length} × ${all[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
}

/** How busy it was: processes that ran or waited to, in the mean of the last one, five and fifteen minutes. */
export const loadAverage = (): string =>
  loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')
