import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { withSection } from '../verify/markdown.ts'
import { costTable } from './cost-model.ts'

const DOCUMENT = fileURLToPath(new URL('../docs/cost.md', import.meta.url))

const HELP = `npm run cost [-- options]

Prints the monthly cost of a deployment at 1, 10 and 100 requests per second. Prices and assumptions: scripts/cost-model.ts

  --write      write the table to docs/cost.md
  -h, --help   this text`

await runCommandLine(
  { command: 'npm run cost', help: HELP, options: { write: { type: 'boolean', default: false } } },
  async ({ values }) => {
    console.log(costTable())
    if (values.write)
      writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), 'cost', `\n${costTable()}\n`))
  },
)
