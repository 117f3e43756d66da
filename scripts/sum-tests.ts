import { parseArgs } from 'node:util'
import { sumReports } from './reports.ts'

const { values, positionals } = parseArgs({
  options: {
    'failed-steps': { type: 'string', default: '0' },
    'failed-runs': { type: 'string', default: '0' },
  },
  allowPositionals: true,
})
const { passed, failed } = sumReports(positionals, {
  failedSteps: Number(values['failed-steps']),
  failedRuns: Number(values['failed-runs']),
})
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
