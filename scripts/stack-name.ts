import { UserError } from '../src/command-line/command-line.ts'

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
