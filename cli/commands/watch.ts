import { type Command, Option } from 'commander'
import {
  type LiveOptions,
  type LiveStates,
  ownLimits,
  polledLimits,
  streamedLimits,
} from '../api/live-limits.ts'
import type { CliError } from '../failure.ts'
import type { LimitState } from '../limits/state-text.ts'
import { frameText } from '../output/frame.ts'
import { timeText } from '../output/times.ts'
import type { Session } from '../session.ts'
import { examples, wholeNumber } from './common.ts'
import { type Identity, identityOf } from './whoami.ts'

interface WatchOptions {
  readonly limit: number
  readonly interval: number
}

/** `zael watch`. */
export const defineWatch = (watch: Command, session: Session): void => {
  watch
    .argument('[search]', 'only entities whose id begins with it, or whose id or name contains it')
    .addOption(new Option('--limit <count>', 'the most entities').default(50).argParser(wholeNumber(1)))
    .addOption(
      new Option('--interval <seconds>', 'between reads of servers that cannot stream')
        .default(2)
        .argParser(wholeNumber(1)),
    )
    .addHelpText('after', examples('zael watch', 'zael watch team-', 'zael watch --json | jq -c .limits[0]'))
    .action(async (search: string | undefined, { limit, interval }: WatchOptions) => {
      const api = await session.api()
      const identity = await identityOf(api)
      const { wait, stopSignal } = session.host
      const screen = createScreen(session, api.url)
      const states = sourceOf(identity)({
        api,
        wait,
        signal: stopSignal(),
        query: { q: search, limit },
        intervalMs: interval * 1000,
        onFailure: screen.fail,
      })
      await show(session, states, screen)
    })
}

const sourceOf = (identity: Identity): ((options: LiveOptions) => LiveStates) => {
  if (identity.kind === 'caller') return ownLimits
  return identity.streams ? streamedLimits : polledLimits
}

/** With `--json` one line per change; on a terminal a screen that is drawn again; else one list. */
const show = async (session: Session, live: LiveStates, screen: Screen): Promise<void> => {
  const { host, isJson } = session
  try {
    for await (const states of live) {
      if (isJson()) host.stdout.write(`${JSON.stringify({ at: host.nowMs() / 1000, limits: states })}\n`)
      else screen.draw(states)
      if (!isJson() && host.stdout.isTTY !== true) return
    }
  } finally {
    screen.close()
  }
}

interface Screen {
  draw(states: readonly LimitState[]): void
  /** Shows that the server cannot be reached, above the last states. */
  fail(error: CliError): void
  /** Leaves the terminal as it was. */
  close(): void
}

const ESCAPE = '\u001b['
/** The alternate screen, which leaves what is on the terminal unchanged, without the cursor. */
const OPEN = `${ESCAPE}?1049h${ESCAPE}?25l`
const CLOSE = `${ESCAPE}?25h${ESCAPE}?1049l`
/** Overwrites the screen instead of clearing it first, which would flicker. */
const HOME = `${ESCAPE}H`
const CLEAR_LINE = `${ESCAPE}K`
const CLEAR_BELOW = `${ESCAPE}J`

const createScreen = ({ host, style, isJson }: Session, url: string): Screen => {
  const { stdout } = host
  const isScreen = stdout.isTTY === true && !isJson()
  let isOpen = false
  let last: readonly LimitState[] = []
  const render = (note: string): void => {
    const { columns = 80, rows = 24 } = stdout
    const text = frameText(last, {
      columns,
      rows: isScreen ? rows : Number.POSITIVE_INFINITY,
      style,
      title: note,
    })
    if (!isScreen) return void stdout.write(text)
    stdout.write(`${isOpen ? '' : OPEN}${HOME}${text.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_BELOW}`)
    isOpen = true
  }
  const now = (): string => timeText(Math.floor(host.nowMs() / 1000)) ?? ''
  return {
    draw(states) {
      last = states
      render(`${url}  ${now()}${isScreen ? '  Ctrl-C ends' : ''}`)
    },
    fail(error) {
      if (isScreen) render(`${now()}  ${error.message}`)
      else host.stderr.write(`zael: ${error.message}\n`)
    },
    close() {
      if (isOpen) stdout.write(CLOSE)
    },
  }
}
