import { ScriptError } from './run-command.ts'

/** What a script is told on its command line, as `cdk deploy` is: `-c name=demo`. */
export interface StackName {
  /** `demo` unless told. */
  readonly name: string
  /** The stack's: `Zael-<name>`. */
  readonly stack: string
  /** What else was given, for the CDK. */
  readonly rest: readonly string[]
}

/** Takes `-c name=<name>` (or `--context`) out of `args`. Throws `ScriptError` for a name that no stack can have. */
export const stackName = (args: readonly string[]): StackName => {
  const at = args.findIndex((arg, i) => /^(-c|--context)$/.test(arg) && args[i + 1]?.startsWith('name='))
  const name = at < 0 ? 'demo' : (args[at + 1] ?? '').slice('name='.length)
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name)) {
    throw new ScriptError(
      `name must be letters, digits and hyphens, 64 at most, and begin with a letter: ${name}`,
    )
  }
  return { name, stack: `Zael-${name}`, rest: at < 0 ? args : args.toSpliced(at, 2) }
}

/** What follows `option` among `args`, if anything does. */
export const optionOf = (args: readonly string[], option: string): string | undefined => {
  const at = args.indexOf(option)
  return at < 0 ? undefined : args[at + 1]
}
