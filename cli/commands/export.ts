import type { Command } from 'commander'
import { exportedDocument, exportedYaml } from '../../src/declarative/export.ts'
import type { Session } from '../session.ts'
import { examples } from './common.ts'
import { readStored } from './declared-file.ts'

/** `zael export`. */
export const defineExport = (command: Command, session: Session): void => {
  command
    .addHelpText(
      'after',
      `${examples('zael export > zael.yaml', 'zael export --json')}

Upstreams, models, defaults, entities with their limits, policies and alerts. Not API keys: their secrets are stored
nowhere. What the environment of zael sets is left out.`,
    )
    .action(async () => {
      const stored = await readStored(await session.api())
      session.print(exportedDocument(stored), () => exportedYaml(stored))
    })
}
