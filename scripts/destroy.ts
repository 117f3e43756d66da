import { fileURLToPath } from 'node:url'
import { type OptionValues, runCommandLine } from '../src/command-line/command-line.ts'
import {
  CONTEXT_OPTION,
  emulatorEnvironment,
  requireEmulator,
  type StackName,
  stackName,
} from './deployment.ts'
import { runCommand } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const HELP = `npm run destroy [-- options]

Deletes a stack: from the emulator of AWS_ENDPOINT_URL, else from AWS, with a confirmation and without its table.

  -c, --context name=NAME   the stack is Zael-NAME; default: demo
      --profile NAME        the profile of your AWS credentials
  -f, --force               no confirmation
  -h, --help                this text`

const OPTIONS = {
  ...CONTEXT_OPTION,
  profile: { type: 'string' },
  force: { type: 'boolean', short: 'f', default: false },
} as const

type Values = OptionValues<typeof OPTIONS>

const fromEmulator = async ({ name, stack }: StackName, endpoint: string): Promise<void> => {
  await requireEmulator(endpoint)
  const context = ['-c', 'flavour=local', '-c', `name=${name}`, '-c', `endpoint=${endpoint}`]
  const env = emulatorEnvironment(endpoint, process.env)
  await runCommand('npx', ['--no-install', 'cdklocal', 'destroy', stack, '--force', ...context], {
    cwd: ROOT,
    env,
  })
}

const TABLE_STAYS = (name: string): string => `
The table ZAEL-${name} stays, with all that is in it. A later deployment takes it back:
  npm run deploy -- -c name=${name} --import-existing-resources
To delete it for good:
  aws dynamodb update-table --table-name ZAEL-${name} --no-deletion-protection-enabled
  aws dynamodb delete-table --table-name ZAEL-${name}
`

const fromAws = async ({ name, stack }: StackName, { profile, force }: Values): Promise<void> => {
  const context = ['-c', 'flavour=aws', '-c', `name=${name}`]
  const options = [...(profile === undefined ? [] : ['--profile', profile]), ...(force ? ['--force'] : [])]
  await runCommand('npx', ['--no-install', 'cdk', 'destroy', stack, ...context, ...options], { cwd: ROOT })
  console.log(TABLE_STAYS(name))
}

await runCommandLine({ command: 'npm run destroy', help: HELP, options: OPTIONS }, async ({ values }) => {
  const target = stackName(values.context)
  const endpoint = process.env.AWS_ENDPOINT_URL
  await (endpoint ? fromEmulator(target, endpoint) : fromAws(target, values))
})
