import { Option } from 'commander'
import { reasonOf } from '../../src/command-line/failure.ts'
import { configurationResponse } from '../../src/contract/configuration.ts'
import type { LocatedFault } from '../../src/contract/parse.ts'
import { ZaelError } from '../../src/core/model/errors.ts'
import { declaredItems, type StoredItem, storedItem } from '../../src/declarative/items.ts'
import { type Plan, planOf } from '../../src/declarative/plan.ts'
import { planLines } from '../../src/declarative/plan-text.ts'
import {
  type DeclarationFile,
  MAX_FILE_BYTES,
  type Mistake,
  readDeclaration,
} from '../../src/declarative/read-file.ts'
import type { ApiClient } from '../api/client.ts'
import { CliError, EXIT_CODES, usageError } from '../failure.ts'
import { textOf } from '../host.ts'
import { printable } from '../output/text.ts'
import type { Session } from '../session.ts'

/** The options of commands that compare a file with zael. */
export interface FileOptions {
  readonly file: string
  readonly prune?: boolean
}

const DEFAULT_FILE = 'zael.yaml'

export const fileOption = (): Option =>
  new Option('-f, --file <path>', 'the file; - reads stdin').default(DEFAULT_FILE)

/** The contents of a file. Prints every mistake with its line, then throws `CliError`. */
export const readFile = async (session: Session, path: string): Promise<DeclarationFile> => {
  const read = readDeclaration(await textIn(session, path))
  if ('file' in read) return read.file
  throw reportMistakes(session, path, read.mistakes)
}

const textIn = async ({ host }: Session, path: string): Promise<string> => {
  const text = path === '-' ? await textOf(host.stdin, MAX_FILE_BYTES) : await fileText(host, path)
  if (text === undefined || text.length > MAX_FILE_BYTES)
    throw usageError(`${path} must be at most ${MAX_FILE_BYTES} bytes long`)
  return text
}

const fileText = async ({ readFile }: Session['host'], path: string): Promise<string> => {
  try {
    return await readFile(path)
  } catch (error) {
    throw usageError(`${path} cannot be read: ${reasonOf(error)}`)
  }
}

/** Prints mistakes as compilers do, so that editors find their lines. */
const reportMistakes = (session: Session, path: string, mistakes: readonly Mistake[]): CliError => {
  if (session.isJson()) session.print({ mistakes }, () => '')
  else
    for (const { line, column, message } of mistakes)
      session.host.stderr.write(`${printable(`${path}:${line}:${column}: ${message}`)}\n`)
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
  return usageError(`${path} contains ${count}; nothing was changed`)
}

/** Everything that administrators have set. Throws `CliError` for a setting that this version does not know. */
export const readStored = async (api: ApiClient): Promise<readonly StoredItem[]> => {
  const items = await api.list({ path: ['api', 'configuration'] }, configurationResponse)
  try {
    return items.map(storedItem)
  } catch (error) {
    if (!(error instanceof ZaelError)) throw error
    throw new CliError(
      `${api.url} has a setting that this version of zael does not know, and would lose: update this program. ${error.message}`,
      EXIT_CODES.failed,
      'unknown_setting',
    )
  }
}

/** The plan that a file makes for a server. Prints the mistakes of a file whose references do not exist, then throws. */
export const readPlan = async (
  session: Session,
  api: ApiClient,
  { file: path, prune = false }: FileOptions,
): Promise<Plan> => {
  const file = await readFile(session, path)
  const planned = planOf(await readStored(api), declaredItems(file.declaration), { prune })
  if ('plan' in planned) return planned.plan
  const mistakes = planned.faults.map((fault: LocatedFault) => file.mistakeOf(fault))
  throw reportMistakes(session, path, mistakes)
}

const COLOURS = { '+': 'green', '~': 'yellow', '-': 'red' } as const

/** A plan for people, with a colour for each kind of change. */
export const planText = ({ style }: Session, plan: Plan): string =>
  planLines(plan)
    .map((line) => {
      const sign = line.slice(0, 1)
      const text = printable(line)
      return `${sign === '+' || sign === '~' || sign === '-' ? style[COLOURS[sign]](text) : text}\n`
    })
    .join('')

/** A plan as JSON: changes in their order, with the values before and after. */
export const planJson = ({ changes, extra }: Plan) => ({
  changes: changes.map(({ does, kind, id, step, before, after }) => ({
    does,
    kind,
    id,
    step,
    before,
    after,
  })),
  extra: extra.map(({ kind, id }) => ({ kind, id })),
})
