import type { Command } from 'commander'
import { CliError, EXIT_CODES } from '../failure.ts'
import type { Session } from '../session.ts'
import { examples } from './common.ts'
import { type FileOptions, fileOption, planJson, planText, readPlan } from './declared-file.ts'

/** `zael diff`. */
export const defineDiff = (diff: Command, session: Session): void => {
  diff
    .addOption(fileOption())
    .option('--prune', 'what the file does not contain is a difference too, in the mappings that it contains')
    .addHelpText(
      'after',
      `${examples('zael diff -f zael.yaml', 'zael diff -f zael.yaml --prune --json')}

Prints what zael apply would change. Exits with 0 if that is nothing, with 6 if zael differs.`,
    )
    .action(async (options: FileOptions) => {
      const api = await session.api()
      const plan = await readPlan(session, api, options)
      session.print(planJson(plan), () => planText(session, plan))
      const { length } = plan.changes
      if (length === 0) return
      const count = length === 1 ? 'one difference' : `${length} differences`
      throw new CliError(`${api.url} differs from ${options.file}: ${count}`, EXIT_CODES.differs, 'differs')
    })
}
