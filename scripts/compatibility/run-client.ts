import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { reasonOf } from '../../src/command-line/failure.ts'
import { fieldOf } from '../reports.ts'
import { type ClientProgram, ERROR_FEATURES, type Feature, isFeature } from './clients.ts'
import { type Interpreters, programOf } from './install.ts'
import { type ClientKeys, environmentOf, MODELS, makeKeys, usedTokens, type World } from './world.ts'

/** A check that a client ran. A reason: it failed. */
export interface CheckResult {
  readonly feature: Feature
  readonly target: string
  readonly reason: string | undefined
}

export interface ClientResult {
  readonly client: ClientProgram
  readonly checks: readonly CheckResult[]
}

/** A client that waits for ever fails; on an idle machine each takes 10 to 20 s. */
const CLIENT_TIMEOUT_MS = 300_000

/** Runs the checks of a client, and adds what only zael and its upstream can observe. */
export const runClient = async (
  client: ClientProgram,
  interpreters: Interpreters,
  world: World,
): Promise<ClientResult> => {
  const name = `${client.language}-${client.name.replace(/\W+/g, '-')}`
  const keys = await makeKeys(world.url, name)
  const lines = await linesOf(client, interpreters, {
    ...environmentOf(world, client, keys),
    slowStream: name,
  })
  const checks = lines.map(checkOf)
  const missing = ERROR_FEATURES.filter((feature) => !checks.some((check) => check.feature === feature))
  const all = [
    ...checks,
    ...missing.map((feature) => ({ feature, target: 'upstream', reason: 'the check was not run' })),
  ]
  return {
    client,
    checks: await Promise.all(all.map((check) => observed(check, client, { world, keys, name }))),
  }
}

const linesOf = async (
  client: ClientProgram,
  interpreters: Interpreters,
  environment: object,
): Promise<readonly string[]> => {
  const { PATH, HOME } = process.env
  const child = spawn(interpreters[client.language], [programOf(client), ...client.args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, HOME, COMPATIBILITY: JSON.stringify(environment), PYTHONDONTWRITEBYTECODE: '1' },
    timeout: CLIENT_TIMEOUT_MS,
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const [code] = await once(child, 'close')
  if (code !== 0 || process.env.COMPATIBILITY_VERBOSE) process.stderr.write(output.stderr)
  return output.stdout.split('\n').filter((line) => line.startsWith('{"feature"'))
}

const checkOf = (line: string): CheckResult => {
  const value: unknown = JSON.parse(line)
  const feature = fieldOf(value, 'feature')
  if (!isFeature(feature)) throw new Error(`unknown feature in ${line}`)
  const reason = fieldOf(value, 'passed') === true ? undefined : String(fieldOf(value, 'reason'))
  return { feature, target: String(fieldOf(value, 'target')), reason }
}

interface Observing {
  readonly world: World
  readonly keys: ClientKeys
  readonly name: string
}

/** The check, failed where zael or its upstream observed something else than the client did. */
const observed = async (
  check: CheckResult,
  client: ClientProgram,
  observing: Observing,
): Promise<CheckResult> => {
  const observe = OBSERVATIONS[check.feature]
  if (check.reason !== undefined || observe === undefined) return check
  try {
    await observe(observing, client)
    return check
  } catch (error) {
    return { ...check, reason: reasonOf(error) }
  }
}

type Observation = (observing: Observing, client: ClientProgram) => void | Promise<void>

/** In any order: of two requests at once, the denial may come first. */
const requireStatuses = (world: World, key: string, expected: string): void => {
  const actual = world.observer
    .statusesOf(key)
    .toSorted((a, b) => a - b)
    .join(', ')
  if (actual !== expected) throw new Error(`zael's responses were ${actual}, not ${expected}`)
}

const OBSERVATIONS: Readonly<Partial<Record<Feature, Observation>>> = {
  // a client that did not obey the wait would be denied more than once
  retry: ({ world, keys }) => requireStatuses(world, keys.shortWait, '200, 200, 429'),
  'no retry': ({ world, keys }) => requireStatuses(world, keys.longWait, '200, 429'),
  abort: requireCancelled,
}

/** The largest charge of a stream that was left after its first word: its prompt and that word, not its maximum of 50. */
const MOST_TOKENS = 40

const PATIENCE_MS = 30_000

async function requireCancelled({ world, keys, name }: Observing, client: ClientProgram): Promise<void> {
  await world.provider.whenLeft(name, PATIENCE_MS)
  for (const [header, value] of Object.entries(client.passedHeaders)) {
    const received = world.provider.requestsOf(`SLOWLY ${name}`)[0]?.headers[header]
    if (received !== value) throw new Error(`the upstream received ${header}: ${received}, not ${value}`)
  }
  const deadline = Date.now() + PATIENCE_MS
  let used = Number.NaN
  while (Date.now() < deadline) {
    used = await usedTokens(world.url, keys.abort, MODELS[client.api].upstream)
    if (used > 0 && used <= MOST_TOKENS) return
    await wait(100)
  }
  throw new Error(`the stream that was left is charged with ${used} tokens`)
}
