import { cpus, loadavg, totalmem } from 'node:os'

/** The machine of the measurement: `2 × AMD EPYC, 24 GiB, Node v20.20.2`. */
export const machine = (): string => {
  const all = cpus()
  return `${all.length} × ${all[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
}

/** The load average: processes that ran or waited, over the last one, five and fifteen minutes. */
export const loadAverage = (): string =>
  loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')
