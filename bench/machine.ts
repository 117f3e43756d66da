import { cpus, totalmem } from 'node:os'

/** What figures were taken on: `2 × AMD EPYC, 24 GiB, Node v20.20.2`. */
export const machine = (): string => {
  const all = cpus()
  return `${all.length} × ${all[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
}
