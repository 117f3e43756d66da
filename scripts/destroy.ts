import { fileURLToPath } from 'node:url'
import { emulatorEnvironment, requireEmulator } from './emulator.ts'
import { runCommand, runScript } from './run-command.ts'
import { type StackName, stackName } from './stack-name.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const fromEmulator = async ({ name, stack, rest }: StackName, endpoint: string): Promise<void> => {
  await requireEmulator(endpoint)
  const context = ['-c', 'flavour=local', '-c', `name=${name}`, '-c', `endpoint=${endpoint}`]
  const env = emulatorEnvironment(endpoint, process.env)
  await runCommand('npx', ['--no-install', 'cdklocal', 'destroy', stack, '--force', ...context, ...rest], {
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

const fromAws = async ({ name, stack, rest }: StackName): Promise<void> => {
  const context = ['-c', 'flavour=aws', '-c', `name=${name}`]
  await runCommand('npx', ['--no-install', 'cdk', 'destroy', stack, ...context, ...rest], { cwd: ROOT })
  console.log(TABLE_STAYS(name))
}

/** Takes a stack down: from the emulator that AWS_ENDPOINT_URL names, else from AWS, which asks first. */
await runScript(async () => {
  const target = stackName(process.argv.slice(2))
  const endpoint = process.env.AWS_ENDPOINT_URL
  await (endpoint ? fromEmulator(target, endpoint) : fromAws(target))
})
