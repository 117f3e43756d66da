import type { Command } from 'commander'
import * as v from 'valibot'
import { type Account, applyChanges, type Failure } from '../../src/declarative/apply-plan.ts'
import type { Change, Plan } from '../../src/declarative/plan.ts'
import { accountLines, countsOf } from '../../src/declarative/plan-text.ts'
import { type ChangeRequest, requestsOf } from '../../src/declarative/requests.ts'
import type { ApiClient } from '../api/client.ts'
import { CliError, EXIT_CODES, type ExitCode } from '../failure.ts'
import { printable } from '../output/text.ts'
import type { Session } from '../session.ts'
import { examples } from './common.ts'
import { type FileOptions, fileOption, planJson, planText, readPlan } from './declared-file.ts'

interface ApplyOptions extends FileOptions {
  readonly dryRun?: boolean
}

/** `zael apply`. */
export const defineApply = (apply: Command, session: Session): void => {
  apply
    .addOption(fileOption())
    .option('--prune', 'also delete what the file does not contain, in the mappings that it contains')
    .option('--dry-run', 'only print the plan')
    .addHelpText(
      'after',
      examples(
        'zael apply -f zael.yaml --dry-run',
        'zael apply -f zael.yaml',
        'zael apply -f zael.yaml --prune --yes',
        'zael export | zael apply -f -',
      ),
    )
    .action(async (options: ApplyOptions) => {
      const api = await session.api()
      const plan = await readPlan(session, api, options)
      if (options.dryRun || plan.changes.length === 0) {
        session.print({ ...planJson(plan), applied: 0 }, () => planText(session, plan))
        return
      }
      showPlan(session, plan)
      await session.confirm(`Apply this to ${api.url}?`)
      await applyPlan(session, api, plan)
    })
}

/** Prints the plan before it is applied; with `--json`, stdout has one value, and people see the plan on stderr. */
const showPlan = (session: Session, plan: Plan): void => {
  const { stdout, stderr, stdin } = session.host
  if (!session.isJson()) stdout.write(planText(session, plan))
  else if (stdin.isTTY === true) stderr.write(planText(session, plan))
}

/** Requests at once: few enough for a table with a small throughput, many enough for a thousand entities in seconds. */
const CONCURRENCY = 8

const applyPlan = async (session: Session, api: ApiClient, plan: Plan): Promise<void> => {
  const exitCodes = new Set<ExitCode>()
  const report = progressOf(session, plan.changes.length)
  const account = await applyChanges(plan.changes, {
    concurrency: CONCURRENCY,
    make: (change) => makeChange(api, change, (code) => exitCodes.add(code)),
    onApplied: (_, applied) => report(applied),
  })
  session.print({ ...planJson(plan), ...accountJson(account) }, () => accountText(account))
  if (account.failed.length === 0) return
  const { applied, failed, left } = account
  throw new CliError(
    `${applied.length} of ${plan.changes.length} changes were applied, ${failed.length} failed, ${left.length} were not begun`,
    exitCodes.has(EXIT_CODES.stale) ? EXIT_CODES.stale : ([...exitCodes][0] ?? EXIT_CODES.failed),
    exitCodes.has(EXIT_CODES.stale) ? 'stale' : 'failed',
  )
}

/** The lines of progress, where stderr is no terminal. */
const REPORTS = 10

/** Writes how much has been applied: in one line of a terminal, else after each tenth. Nothing for a few changes. */
const progressOf = ({ host: { stderr }, isJson }: Session, total: number): ((applied: number) => void) => {
  if (isJson() || total < REPORTS) return () => {}
  const each = Math.ceil(total / REPORTS)
  const textOf = (applied: number): string => `applied ${applied} of ${total}`
  return stderr.isTTY === true
    ? (applied) => void stderr.write(`\r${textOf(applied)}${applied === total ? '\n' : ''}`)
    : (applied) => {
        if (applied % each === 0 || applied === total) stderr.write(`${textOf(applied)}\n`)
      }
}

const makeChange = async (
  api: ApiClient,
  change: Change,
  onFailure: (code: ExitCode) => void,
): Promise<Failure | undefined> => {
  let sent = 0
  try {
    let etag: string | null = null
    for (const request of requestsOf(change)) {
      etag = await sendRequest(api, request, etag)
      sent += 1
    }
    return undefined
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    const { reason, message } = failureOf(change, error)
    onFailure(reason === 'changed' ? EXIT_CODES.stale : error.exitCode)
    return { reason, message: sent === 0 ? message : `it was created, but not completely: ${message}` }
  }
}

/** Resolves to the ETag of the response. */
const sendRequest = async (
  api: ApiClient,
  { ifMatch, ...request }: ChangeRequest,
  previous: string | null,
): Promise<string | null> => {
  const tag = typeof ifMatch === 'object' ? previous : ifMatch
  const conditional = { ...request, ...(typeof tag === 'string' && { ifMatch: tag }) }
  if (request.method !== 'DELETE') return (await api.requestWithEtag(conditional, v.looseObject({}))).etag
  await api.send(conditional)
  return null
}

const failureOf = ({ does, kind }: Change, { code, exitCode, message }: CliError): Failure => {
  // an entity is created by POST, which has no If-None-Match
  const isTaken = code === 'conflict' && does === 'create' && kind === 'entity'
  const isGone = code === 'not_found' && does !== 'create'
  if (code === 'precondition_failed' || isTaken || isGone) return { reason: 'changed', message }
  return { reason: exitCode === EXIT_CODES.unavailable ? 'unknown' : 'rejected', message }
}

const accountText = (account: Account): string => {
  if (account.failed.length > 0)
    return accountLines(account)
      .map((line) => `${printable(line)}\n`)
      .join('')
  const { create, change, delete: gone } = countsOf(account.applied)
  return `Applied: ${create} created, ${change} changed, ${gone} deleted.\n`
}

const accountJson = ({ applied, failed, left }: Account) => {
  const named = (changes: readonly Change[]) => changes.map(({ does, kind, id }) => ({ does, kind, id }))
  return {
    applied: applied.length,
    failed: failed.map(({ change: { does, kind, id }, failure }) => ({ does, kind, id, ...failure })),
    left: named(left),
  }
}
