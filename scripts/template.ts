import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import { functionTemplate } from './templates/function-template.ts'
import { templateText } from './templates/synthesize.ts'
import { writeTemplates } from './templates/write-templates.ts'

const DIRECTORY = fileURLToPath(new URL('../dist/cloudformation', import.meta.url))
const EXAMPLE = fileURLToPath(new URL('../examples/sam/template.yaml', import.meta.url))

const HELP = `npm run template [-- options]

Writes the templates for deployments without the CDK: zael.template.yaml, the whole of zael for CloudFormation, and
function.sam.yaml, a function of AWS SAM that may decide on its table. npm run build writes them too.

      --output DIR   the directory; default: dist/cloudformation
      --example      also updates examples/sam/template.yaml
  -h, --help         this text`

await runCommandLine(
  {
    command: 'npm run template',
    help: HELP,
    options: { output: { type: 'string', default: DIRECTORY }, example: { type: 'boolean', default: false } },
  },
  async ({ values }) => {
    writeTemplates(values.output)
    if (values.example) writeFileSync(EXAMPLE, templateText(functionTemplate()))
  },
)
