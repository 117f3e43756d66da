import { runCommandLine } from '../src/command-line/command-line.ts'
import { load } from './load/load.ts'
import { LOAD_OPTIONS, loadHelp, loadOptionsOf } from './load/options.ts'

await runCommandLine(
  { command: 'npm run load', help: loadHelp('npm run load --'), options: LOAD_OPTIONS },
  ({ values }) => load(loadOptionsOf(values)),
)
