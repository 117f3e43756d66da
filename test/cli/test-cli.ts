import type { Host } from '../../cli/host.ts'
import { run } from '../../cli/program.ts'
import { createTestApp, type TestApp, type TestAppOptions } from '../http/test-app.ts'

export interface CliResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface TestCli extends TestApp {
  /** Runs the program against the app, as its admin unless the environment or an option names another token. */
  zael(args: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>
}

export interface CliOptions {
  readonly environment: Readonly<Record<string, string>>
  /** The text on stdin. */
  readonly input: string
  readonly files: Readonly<Record<string, string>>
  /** The answer to a question; undefined: there is no terminal. */
  readonly answer: string
  readonly isTerminal: boolean
  readonly fetch: Host['fetch']
  readonly stopped: AbortSignal
  readonly nowMs: number
  readonly wait: Host['wait']
}

export const TEST_URL = 'http://zael.example.com/stage'

/** The program without a process: its output is collected, and its requests are sent to `fetch`. */
export const runCli = async (
  args: readonly string[],
  options: Partial<CliOptions> & Pick<CliOptions, 'fetch'>,
): Promise<CliResult> => {
  const { input = '', files = {}, answer, isTerminal = answer !== undefined } = options
  const result = { stdout: '', stderr: '' }
  const outputOf = (stream: 'stdout' | 'stderr') => ({
    isTTY: isTerminal,
    columns: 100,
    write: (text: string) => {
      result[stream] += text
    },
  })
  const host: Host = {
    environment: options.environment ?? {},
    stdout: outputOf('stdout'),
    stderr: outputOf('stderr'),
    stdin: Object.assign(textStream(input), { isTTY: isTerminal }),
    fetch: options.fetch,
    readFile: async (path) => {
      const text = files[path]
      if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`)
      return text
    },
    ask: async (question) => {
      result.stderr += question
      return answer ?? ''
    },
    nowMs: () => options.nowMs ?? 1_700_000_000_000,
    wait: options.wait ?? (async () => {}),
    stopSignal: () => options.stopped ?? new AbortController().signal,
  }
  const code = await run(args, host, { version: '1.2.3' })
  return { code, ...result }
}

async function* textStream(text: string): AsyncGenerator<string> {
  if (text !== '') yield text
}

/** A whole API in this process, and the program that calls it below a stage. */
export const createTestCli = (options: TestAppOptions = {}): TestCli => {
  const app = createTestApp(options)
  const fetch: Host['fetch'] = async (url, init) => {
    const { pathname, search } = new URL(url)
    return app.app.request(`${pathname.replace('/stage', '')}${search}`, init)
  }
  return {
    ...app,
    zael: (args, given = {}) =>
      runCli(args, {
        fetch,
        nowMs: Number(app.clock.now() / 1_000_000n),
        ...given,
        environment: { ZAEL_URL: TEST_URL, ZAEL_TOKEN: 'the-admin-token', ...given.environment },
      }),
  }
}
