import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { withSection } from '../verify/markdown.ts'
import { breakEvenText, costTable, scalingTable, serviceTable } from './cost-model.ts'

const documentAt = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url))

/** What is computed, by its section and the document that contains it. */
const SECTIONS = [
  ['cost.md', 'cost', costTable],
  ['scaling.md', 'scaling', scalingTable],
  ['scaling.md', 'service', serviceTable],
  ['scaling.md', 'break-even', breakEvenText],
] as const

const write = (): void => {
  for (const [document, section, textOf] of SECTIONS) {
    const path = documentAt(document)
    writeFileSync(path, withSection(readFileSync(path, 'utf8'), section, `\n${textOf()}\n`))
  }
}

const HELP = `npm run cost [-- options]

Prints the monthly cost of a deployment on Lambda and as a service, and the load from which on a service costs less.
Prices and assumptions: scripts/cost-model.ts

  --write      write the tables to docs/cost.md and docs/scaling.md
  -h, --help   this text`

await runCommandLine(
  { command: 'npm run cost', help: HELP, options: { write: { type: 'boolean', default: false } } },
  async ({ values }) => {
    for (const [, , textOf] of SECTIONS) console.log(`${textOf()}\n`)
    if (values.write) write()
  },
)
