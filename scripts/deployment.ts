import { UserError } from '../src/command-line/command-line.ts'
import { ScriptError } from './run-command.ts'

/** The stack that a script acts on. */
export interface StackName {
  /** Default: `demo`. */
  readonly name: string
  /** `Zael-<name>`. */
  readonly stack: string
}

/** The option of scripts that act on a stack, in the form of `cdk deploy`: `-c name=demo`. */
export const CONTEXT_OPTION = { context: { type: 'string', short: 'c', multiple: true } } as const

/** Reads the values of `--context`. Throws `UserError` for a key other than `name`, and for an invalid stack name. */
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

/** The default address of LocalStack and MiniStack. */
export const DEFAULT_ENDPOINT = 'http://localhost:4566'

/** The emulator's address without a trailing slash: AWS_ENDPOINT_URL, else the default. */
export const emulatorEndpoint = (env: NodeJS.ProcessEnv): string =>
  (env.AWS_ENDPOINT_URL || DEFAULT_ENDPOINT).replace(/\/+$/, '')

/** The command that deploys to this emulator, for another terminal, which does not have this one's AWS_ENDPOINT_URL. */
export const deployCommand = (endpoint: string): string =>
  endpoint === DEFAULT_ENDPOINT ? 'npm run deploy:local' : `AWS_ENDPOINT_URL=${endpoint} npm run deploy:local`

/** The variables that cdklocal keeps in the environment, besides the endpoints. */
const KEPT = [
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_S3_FORCE_PATH_STYLE',
  'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED',
]

/**
 * This environment, changed to an emulator: its address for every service, test credentials instead of the machine's
 * (nothing may reach AWS), and buckets in paths, because names below `localhost` may not resolve. cdklocal removes all
 * AWS_* variables that are not in its allow list.
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
    // The lock file determines the version of the SDK.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_ENVAR_ALLOWLIST: KEPT.join(','),
  }
}

/** Throws `ScriptError` if no emulator responds. */
export const requireEmulator = async (endpoint: string): Promise<void> => {
  const response = await fetch(`${endpoint}/_localstack/health`, {
    signal: AbortSignal.timeout(5_000),
  }).catch(() => undefined)
  if (response?.ok) return
  const found =
    response === undefined ? 'nothing listens on it' : `the server is not an emulator (${response.status})`
  throw new ScriptError(
    [
      `no AWS emulator at ${endpoint}: ${found}.`,
      'Start one:  docker compose -f docker-compose.localstack.yml up',
      '       or:  npm run localstack   (no Docker, needs Java), npm run ministack   (no Docker, needs only Python)',
      'or name yours in AWS_ENDPOINT_URL.',
    ].join('\n'),
  )
}

/** Emulators read the service from the credential scope, and check no signature. */
const API_GATEWAY =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=0'

/**
 * Deploys the current definition of the API of `apiUrl` to its stage: a stage keeps the definition of its deployment,
 * and the stack keeps that deployment when the definition changes. Throws `ScriptError` if the emulator rejects it.
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
