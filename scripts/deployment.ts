import { UserError } from '../src/command-line/command-line.ts'
import { ScriptError } from './run-command.ts'

/** The stack that a script acts on. */
export interface StackName {
  /** Default: `demo`. */
  readonly name: string
  /** `Zael-<name>`. */
  readonly stack: string
}

/** The option of scripts that act on a stack, as `cdk deploy` has it: `-c name=demo`. */
export const CONTEXT_OPTION = { context: { type: 'string', short: 'c', multiple: true } } as const

/** Reads the values of `--context`. Throws `UserError` for another key than `name`, and a name that no stack can have. */
export const stackName = (context: readonly string[] = []): StackName => {
  const [given = 'name=demo', ...more] = context
  if (!given.startsWith('name=') || more.length > 0) {
    throw new UserError(`--context must be name=<name>, once, not ${context.join(' ')}`)
  }
  const name = given.slice('name='.length)
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name)) {
    throw new UserError(
      `--context name=${name}: the name must be letters, digits and hyphens, 64 at most, and begin with a letter`,
    )
  }
  return { name, stack: `Zael-${name}` }
}

/** Where LocalStack and MiniStack listen unless told otherwise. */
export const DEFAULT_ENDPOINT = 'http://localhost:4566'

/** The emulator's address, without a slash at its end: AWS_ENDPOINT_URL, else its usual one. */
export const emulatorEndpoint = (env: NodeJS.ProcessEnv): string =>
  (env.AWS_ENDPOINT_URL || DEFAULT_ENDPOINT).replace(/\/+$/, '')

/** The command that deploys to this emulator: another terminal does not have this one's AWS_ENDPOINT_URL. */
export const deployCommand = (endpoint: string): string =>
  endpoint === DEFAULT_ENDPOINT ? 'npm run deploy:local' : `AWS_ENDPOINT_URL=${endpoint} npm run deploy:local`

/** What cdklocal leaves in the environment, beside the endpoints. */
const KEPT = [
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_S3_FORCE_PATH_STYLE',
  'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED',
]

/**
 * This environment turned to an emulator: its address for every service, test credentials whatever the machine has
 * (nothing may reach AWS), buckets in paths, as names below `localhost` need not resolve. cdklocal drops all AWS_*
 * variables it is not told to keep.
 */
export const emulatorEnvironment = (endpoint: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const others = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('AWS_')))
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1'
  return {
    ...others,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_S3_FORCE_PATH_STYLE: '1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    // Which version of the SDK runs here is the lock file's business.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_ENVAR_ALLOWLIST: KEPT.join(','),
  }
}

/** Throws `ScriptError` where no emulator answers. */
export const requireEmulator = async (endpoint: string): Promise<void> => {
  const answer = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(5_000) }).catch(
    () => undefined,
  )
  if (answer?.ok) return
  const found =
    answer === undefined ? 'nothing listens there' : `what listens there is no emulator (${answer.status})`
  throw new ScriptError(
    [
      `no AWS emulator at ${endpoint}: ${found}.`,
      'Start one:  docker compose -f docker-compose.localstack.yml up',
      '       or:  npm run localstack   (no Docker, needs Java), npm run ministack   (no Docker, needs only Python)',
      'or name yours in AWS_ENDPOINT_URL.',
    ].join('\n'),
  )
}

/** Emulators read the service from the credential's scope, and check no signature. */
const API_GATEWAY =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=0'

/**
 * Makes the stage of `apiUrl` serve its API as it is defined now: a stage keeps the definition of its deployment, and the
 * stack keeps that deployment when the definition changes. Throws `ScriptError` if the emulator refuses.
 */
export const redeployApi = async (endpoint: string, apiUrl: string): Promise<void> => {
  const [, apiId, stageName] = /\/_aws\/execute-api\/([^/]+)\/([^/]+)\/$/.exec(apiUrl) ?? []
  if (apiId === undefined)
    throw new ScriptError(`ApiUrl must end in /_aws/execute-api/<api>/<stage>/: ${apiUrl}`)
  const response = await fetch(`${endpoint}/restapis/${apiId}/deployments`, {
    method: 'POST',
    headers: { authorization: API_GATEWAY, 'content-type': 'application/json' },
    body: JSON.stringify({ stageName }),
  })
  if (response.ok) return
  throw new ScriptError(
    `the API could not be deployed to its stage (${response.status}): ${await response.text()}`,
  )
}
