import type { Argument, Command, Option } from 'commander'
import { printable } from './output/text.ts'
import type { Session } from './session.ts'

/** A completion of the last word, with what it is. */
export interface Candidate {
  readonly value: string
  readonly description: string
}

export interface Completions {
  readonly candidates: readonly Candidate[]
  /** Whether file names complete the word too. */
  readonly hasFiles: boolean
}

const NOTHING: Completions = { candidates: [], hasFiles: false }

/**
 * Completes the last of `words`, which are those after the name of the program. `complete` adds the subcommands of a command whose
 * module is not loaded yet.
 */
export const completionsOf = async (
  program: Command,
  words: readonly string[],
  session: Session,
  complete: (command: Command) => Promise<void>,
): Promise<Completions> => {
  const last = words.at(-1) ?? ''
  const { command, operands, option } = await walk(program, words.slice(0, -1), complete)
  if (option !== undefined) return filtered(valuesOf(option), last)
  if (last.startsWith('-'))
    return filtered({ candidates: optionsOf(program, command), hasFiles: false }, last)
  const subcommands = command.createHelp().visibleCommands(command)
  if (subcommands.length > 0)
    return filtered({ candidates: subcommands.map(ofCommand), hasFiles: false }, last)
  const argument = command.registeredArguments[operands] ?? command.registeredArguments.at(-1)
  const isKnown =
    argument !== undefined && (operands < command.registeredArguments.length || argument.variadic)
  return isKnown ? filtered(await operandsOf(argument, last, session), last) : NOTHING
}

const filtered = ({ candidates, hasFiles }: Completions, last: string): Completions => ({
  candidates: candidates.filter(({ value }) => value.startsWith(last)),
  hasFiles,
})

interface Position {
  readonly command: Command
  /** The number of arguments of the command before the last word. */
  readonly operands: number
  /** The option whose value is the last word. */
  readonly option: Option | undefined
}

const walk = async (
  program: Command,
  before: readonly string[],
  complete: (command: Command) => Promise<void>,
): Promise<Position> => {
  let position: Position = { command: program, operands: 0, option: undefined }
  for (const word of before) {
    position = positionAfter(program, position, word)
    if (position.command.parent === program && position.command.name() === word)
      await complete(position.command)
  }
  return position
}

const positionAfter = (program: Command, position: Position, word: string): Position => {
  const { command, operands, option } = position
  if (option !== undefined) return { ...position, option: undefined }
  if (word.startsWith('-')) return { ...position, option: valued(program, command, word) }
  const next = command.commands.find((each) => each.name() === word || each.aliases().includes(word))
  return next === undefined
    ? { command, operands: operands + 1, option: undefined }
    : { command: next, operands: 0, option: undefined }
}

/** The option of this flag if its value is the next word. */
const valued = (program: Command, command: Command, flag: string): Option | undefined =>
  [...command.options, ...program.options].find(
    (each) => (each.long === flag || each.short === flag) && (each.required || each.optional),
  )

const valuesOf = ({ argChoices, flags }: Option): Completions => ({
  candidates: (argChoices ?? []).map((value) => ({ value, description: '' })),
  hasFiles: flags.includes('<path>'),
})

const optionsOf = (program: Command, command: Command): readonly Candidate[] =>
  [...new Set([...command.options, ...program.options])].flatMap(({ long, description }) =>
    long ? [{ value: long, description }] : [],
  )

const ofCommand = (command: Command): Candidate => ({
  value: command.name(),
  description: command.summary() || command.description(),
})

const operandsOf = async (argument: Argument, last: string, session: Session): Promise<Completions> => {
  const { argChoices } = argument
  const values = argChoices ?? (await namesOnServer(argument.name(), last, session))
  return { candidates: values.map((value) => ({ value, description: '' })), hasFiles: false }
}

const MOST_NAMES = 100

/** The names that the server has for an argument; none if it cannot be reached, or does not allow it. */
const namesOnServer = async (kind: string, last: string, session: Session): Promise<readonly string[]> => {
  const read = READERS[kind]
  if (read === undefined) return []
  try {
    return await read(session, last)
  } catch {
    return []
  }
}

const READERS: Readonly<Record<string, (session: Session, last: string) => Promise<readonly string[]>>> = {
  async entity(session, last) {
    const { entitiesResponse } = await import('../src/contract/entities.ts')
    const api = await session.api()
    const query = { q: last === '' ? undefined : last }
    const items = await api.list({ path: ['api', 'entities'], query }, entitiesResponse, MOST_NAMES)
    return items.map(({ entity_id }) => entity_id)
  },
  async model(session) {
    const { modelsResponse } = await import('../src/contract/models.ts')
    const api = await session.api()
    const items = await api.list({ path: ['api', 'models'] }, modelsResponse, MOST_NAMES)
    return items.map(({ model_id }) => model_id)
  },
  async upstream(session) {
    const { upstreamsResponse } = await import('../src/contract/upstreams.ts')
    const api = await session.api()
    const items = await api.list({ path: ['api', 'upstreams'] }, upstreamsResponse, MOST_NAMES)
    return items.map(({ name }) => name)
  },
}

/** One candidate per line, with a tab before its description; `:files` last if file names complete the word too. */
export const completionText = ({ candidates, hasFiles }: Completions): string =>
  [
    ...candidates.map(({ value, description }) => `${printable(value)}\t${printable(description)}`),
    ...(hasFiles ? [':files'] : []),
  ]
    .map((line) => `${line}\n`)
    .join('')
