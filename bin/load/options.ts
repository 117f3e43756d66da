import { readFileSync } from 'node:fs'
import { type OptionValues, UserError } from '../../src/command-line/command-line.ts'
import { reasonOf } from '../../src/command-line/failure.ts'
import { modelId } from '../../src/settings/settings.ts'
import { parseText, type TextSchema, wholeNumber } from '../../src/settings/text-schemas.ts'
import { apiKey, apiPath, duration, listed, nodeUrl } from './option-schemas.ts'
import { peakCallers, type Stage, stages } from './stages.ts'

/** The text of `--help`; `command` is the command as it is typed: `npm run load --`. */
export const loadHelp = (command: string): string => `${command} --api-keys KEY [options]

Sends requests to one node or several, each to a random node with a random key, and prints how many passed, how many were
throttled (429), and how long the responses took. Ends by itself; Ctrl-C ends it sooner and prints what was measured.

  -n, --nodes URL             a node; repeat it, or separate them by commas. Default: http://127.0.0.1:8080
  -k, --api-keys KEY          an API key; repeat it, or separate them by commas
      --api-keys-file FILE    more keys, one per line; empty lines and lines that begin with # are ignored
      --allow-remote          nodes that are not on this machine

  -d, --duration SECONDS      how long; default 10. Also 500ms, 10s, 2m, 1h
  -c, --concurrency N         concurrent callers, over all processes; default 10
  -s, --stages LIST           instead of both: 5:10s,20:30s ramps linearly to 5 callers in 10 s, then to 20 in 30 s
      --delay SECONDS         pause of each caller after a response; default 0
  -p, --processes N           processes that share the callers; default 1
      --max-connections N     over all nodes and processes; default 4000
      --timeout SECONDS       a request without a response is an error after this; default 30

      --check                 send checks to /v1/limits/check instead of chats
      --path PATH             send to this path instead
  -m, --model MODEL           default gpt-4
      --message TEXT          the message of chats
      --max-tokens N          the maximum in chats, and the charge of checks; default 50
      --payload-cache-size N  number of different bodies, created before the first request; default 1024

      --json                  the result as JSON on stdout
  -h, --help                  this text

Exits with 1 if an option is wrong (zael load: 2), no node can be reached, no request succeeded, or one of its processes ended early.
`

/** The requests of a run, their number, and the nodes that receive them. */
export interface LoadOptions {
  readonly nodes: readonly string[]
  readonly apiKeys: readonly string[]
  readonly stages: readonly Stage[]
  readonly delayMs: number
  readonly processes: number
  readonly maxConnections: number
  readonly timeoutMs: number
  /** Sends checks instead of chats. */
  readonly isCheck: boolean
  readonly path: string
  readonly model: string
  readonly message: string
  readonly maxTokens: number
  readonly payloadCacheSize: number
  readonly json: boolean
}

const MOST_CALLERS = 20_000

const MOST_NODES = 100

const MOST_KEYS = 100_000

const MOST_PROCESSES = 64

const MOST_PAYLOAD_BYTES = 256 * 1_048_576

const DEFAULT_NODE = 'http://127.0.0.1:8080'

const DAY_MS = 86_400_000

const STAGE_BOUNDS = { mostCallers: MOST_CALLERS, mostStages: 100, longestMs: DAY_MS }

/** The options of `npm run load`. */
export const LOAD_OPTIONS = {
  nodes: { type: 'string', short: 'n', multiple: true },
  'api-keys': { type: 'string', short: 'k', multiple: true },
  'api-keys-file': { type: 'string' },
  'allow-remote': { type: 'boolean', default: false },
  duration: { type: 'string', short: 'd' },
  concurrency: { type: 'string', short: 'c' },
  stages: { type: 'string', short: 's' },
  delay: { type: 'string', default: '0' },
  processes: { type: 'string', short: 'p', default: '1' },
  'max-connections': { type: 'string', default: '4000' },
  timeout: { type: 'string', default: '30' },
  check: { type: 'boolean', default: false },
  path: { type: 'string' },
  model: { type: 'string', short: 'm', default: 'gpt-4' },
  message: { type: 'string', default: 'Say hello.' },
  'max-tokens': { type: 'string', default: '50' },
  'payload-cache-size': { type: 'string', default: '1024' },
  json: { type: 'boolean', default: false },
} as const

type Values = OptionValues<typeof LOAD_OPTIONS>

const read = <T>(name: keyof typeof LOAD_OPTIONS, schema: TextSchema<T>, text: string): T => {
  const result = parseText(schema, text)
  if ('must' in result) throw new UserError(`--${name} must ${result.must}`)
  return result.value
}

const nodesOf = (values: Values): readonly string[] => {
  const kind = nodeUrl({ allowRemote: values['allow-remote'] })
  const nodes = [...new Set(listed(values.nodes ?? [DEFAULT_NODE]).map((text) => read('nodes', kind, text)))]
  if (nodes.length < 1 || nodes.length > MOST_NODES)
    throw new UserError(`--nodes must name 1 to ${MOST_NODES} nodes`)
  return nodes
}

const keysInFile = (path: string): readonly string[] => {
  try {
    const lines = readFileSync(path, 'utf8').split(/\r?\n/)
    return lines.map((line) => line.trim()).filter((line) => !line.startsWith('#'))
  } catch (error) {
    throw new UserError(`--api-keys-file cannot be read: ${reasonOf(error)}`)
  }
}

const keysOf = (values: Values): readonly string[] => {
  const file = values['api-keys-file']
  const given = listed(values['api-keys'] ?? []).map((key) => read('api-keys', apiKey, key))
  const filed =
    file === undefined ? [] : listed(keysInFile(file)).map((key) => read('api-keys-file', apiKey, key))
  const keys = [...new Set([...given, ...filed])]
  if (keys.length < 1 || keys.length > MOST_KEYS) {
    throw new UserError(`--api-keys must name 1 to ${MOST_KEYS} keys, directly or in --api-keys-file`)
  }
  return keys
}

const stagesOf = (values: Values): readonly Stage[] => {
  if (values.stages === undefined) {
    const callers = read('concurrency', wholeNumber(1, MOST_CALLERS), values.concurrency ?? '10')
    const durationMs = read('duration', duration(100, DAY_MS), values.duration ?? '10')
    return [{ fromCallers: callers, toCallers: callers, durationMs }]
  }
  if (values.duration !== undefined || values.concurrency !== undefined) {
    throw new UserError('--stages cannot be combined with --duration or --concurrency: it sets both')
  }
  return read('stages', stages(STAGE_BOUNDS), values.stages)
}

const contentOf = (values: Values) => {
  const { message, check } = values
  const payloadCacheSize = read('payload-cache-size', wholeNumber(1, 65_536), values['payload-cache-size'])
  if (Buffer.byteLength(message) * payloadCacheSize > MOST_PAYLOAD_BYTES) {
    throw new UserError(
      '--payload-cache-size is too large for the length of --message: their product must be at most 256 MiB',
    )
  }
  const usualPath = check ? '/v1/limits/check' : '/v1/chat/completions'
  return {
    isCheck: check,
    path: read('path', apiPath, values.path ?? usualPath),
    model: read('model', modelId, values.model),
    message,
    maxTokens: read('max-tokens', wholeNumber(1, 1_000_000), values['max-tokens']),
    payloadCacheSize,
  }
}

const pressureOf = (values: Values, nodes: number) => {
  const ramp = stagesOf(values)
  // a process without a caller would only delay the end
  const processes = Math.min(
    read('processes', wholeNumber(1, MOST_PROCESSES), values.processes),
    peakCallers(ramp),
  )
  const fewest = processes * nodes
  return {
    stages: ramp,
    processes,
    delayMs: read('delay', duration(0, 3_600_000), values.delay),
    maxConnections: read('max-connections', wholeNumber(fewest, MOST_CALLERS), values['max-connections']),
    timeoutMs: read('timeout', duration(100, 600_000), values.timeout),
  }
}

/** Validates the options. Throws `UserError` with the name of the invalid one. */
export const loadOptionsOf = (values: Values): LoadOptions => {
  const nodes = nodesOf(values)
  return {
    nodes,
    apiKeys: keysOf(values),
    ...pressureOf(values, nodes.length),
    ...contentOf(values),
    json: values.json,
  }
}
