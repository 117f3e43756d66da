import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommandLine } from '../src/command-line/command-line.ts'
import {
  CONTEXT_OPTION,
  emulatorEndpoint,
  emulatorEnvironment,
  redeployApi,
  requireEmulator,
  type StackName,
  stackName,
} from './deployment.ts'
import { runCommand, ScriptError } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

type Outputs = Readonly<Record<string, string>>

/** `npm run synth` checks CloudFormation's rules; here the emulator reports what it does not support. */
const cdklocal = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> =>
  runCommand('npx', ['--no-install', 'cdklocal', ...args], {
    cwd: ROOT,
    env: { ...env, CDK_VALIDATION: 'false' },
  })

const readOutputs = async (file: string, stackId: string): Promise<Outputs> => {
  const stacks: unknown = JSON.parse(await readFile(file, 'utf8'))
  const outputs = stacks !== null && typeof stacks === 'object' ? Object.entries(stacks) : []
  const own: unknown = outputs.find(([stack]) => stack === stackId)?.[1]
  if (own === null || typeof own !== 'object') throw new ScriptError(`${stackId} has no outputs`)
  return Object.fromEntries(Object.entries(own).map(([key, value]) => [key, String(value)]))
}

/** The account of the test credentials, on every emulator. */
const ACCOUNT = '000000000000'
const DEPLOY = ['--require-approval', 'never', '--progress', 'bar']

const cannotUpdate = ({ name, stack }: StackName, endpoint: string): string => `
The emulator did not take ${stack}. If it was there already: emulators cannot make every update ("Stage already exists" on
LocalStack). Delete the stack, with its table, and deploy again:
  AWS_ENDPOINT_URL=${endpoint} npm run destroy -- -c name=${name}
  AWS_ENDPOINT_URL=${endpoint} npm run deploy:local -- -c name=${name}
`

/** Deploys the stack to the emulator, or updates it. */
const deploy = async (
  target: StackName,
  endpoint: string,
  env: NodeJS.ProcessEnv,
  outputsFile: string | undefined,
): Promise<Outputs> => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-deploy-'))
  const outputs = outputsFile ?? join(directory, 'outputs.json')
  const context = ['-c', 'flavour=local', '-c', `name=${target.name}`, '-c', `endpoint=${endpoint}`]
  const common = ['--output', join(directory, 'cdk.out'), ...context]
  try {
    await cdklocal(
      ['bootstrap', `aws://${ACCOUNT}/${env.AWS_REGION}`, '--output', join(directory, 'bootstrap')],
      env,
    )
    await cdklocal(['deploy', target.stack, ...DEPLOY, '--outputs-file', outputs, ...common], env).catch(
      (error: unknown) => {
        console.error(cannotUpdate(target, endpoint))
        throw error
      },
    )
    return await readOutputs(outputs, target.stack)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Allows demo keys at any address: `requireEmulator` has checked that it is an emulator. */
const seed = (outputs: Outputs, env: NodeJS.ProcessEnv): Promise<void> =>
  runCommand('npm', ['run', '--silent', 'seed', '--', '--allow-demo-keys'], {
    cwd: ROOT,
    env: { ...env, TABLE_NAME: outputs.TableName },
  })

const CHAT_BODY = '{"model":"gpt-4","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}'

const summary = (endpoint: string, outputs: Outputs): string => {
  const url = outputs.ApiUrl ?? ''
  const adminToken = process.env.ADMIN_TOKEN ?? 'dev-admin'
  return `
zael runs on ${endpoint}

  API        ${url}
  Dashboard  ${url}dashboard#token=${adminToken}
  Docs       ${url}docs
  Admin      Authorization: Bearer ${adminToken}
  Table      ${outputs.TableName}

Send a request:
  curl ${url}v1/chat/completions \\
    -H 'Authorization: Bearer key-bob' -H 'Content-Type: application/json' \\
    -d '${CHAT_BODY}'

Read the table:
  AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \\
    aws --endpoint-url ${endpoint} dynamodb scan --table-name ${outputs.TableName}
`
}

const HELP = `npm run deploy:local [-- options]

Deploys to the emulator that AWS_ENDPOINT_URL names (default: http://localhost:4566), loads the demo data, and prints the
addresses.

  -c, --context name=NAME   the stack is Zael-NAME, its table ZAEL-NAME; default: demo
      --outputs-file FILE   write the outputs of the stack there, as JSON
  -h, --help                this text`

const OPTIONS = { ...CONTEXT_OPTION, 'outputs-file': { type: 'string' } } as const

await runCommandLine(
  { command: 'npm run deploy:local', help: HELP, options: OPTIONS },
  async ({ values }) => {
    const target = stackName(values.context)
    const endpoint = emulatorEndpoint(process.env)
    await requireEmulator(endpoint)
    const env = emulatorEnvironment(endpoint, process.env)
    const outputs = await deploy(target, endpoint, env, values['outputs-file'])
    await redeployApi(endpoint, outputs.ApiUrl ?? '')
    await seed(outputs, env)
    console.log(summary(endpoint, outputs))
  },
)
