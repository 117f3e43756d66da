import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { ScriptError } from '../run-command.ts'
import type { Consumer } from './consumer.ts'

const run = promisify(execFile)

const LONGEST_START_MS = 60_000

/** As npm links the program of a package. */
const linkProgram = async ({ directory }: Consumer): Promise<void> => {
  const bin = join(directory, 'node_modules/.bin')
  await mkdir(bin, { recursive: true })
  await chmod(join(directory, 'node_modules/zael', packageJson.bin.zael), 0o755)
  await symlink(join('../zael', packageJson.bin.zael), join(bin, 'zael'))
}

interface Server {
  readonly url: string
  /** Ends it as Ctrl-C does. Throws unless it exits with 0. */
  end(): Promise<void>
}

const serve = async (
  { directory }: Consumer,
  environment: Readonly<Record<string, string>>,
): Promise<Server> => {
  const child = spawn(join(directory, 'node_modules/.bin/zael'), ['serve', '--port', '0'], {
    cwd: directory,
    env: { PATH: process.env.PATH, DYNAMODB_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let printed = ''
  const print = (text: Buffer): void => {
    printed += text
  }
  child.stderr.on('data', print)
  await new Promise<void>((resolve, reject) => {
    const fail = (): void => reject(new ScriptError(`zael serve did not start: ${printed}`))
    const timer = setTimeout(fail, LONGEST_START_MS)
    child.once('close', fail)
    child.stdout.on('data', (text: Buffer) => {
      print(text)
      if (!printed.includes('/api/usage/')) return
      clearTimeout(timer)
      resolve()
    })
  })
  return {
    url: /API +(\S+)/.exec(printed)?.[1] ?? '',
    async end() {
      child.kill('SIGINT')
      const [code] = await ended
      if (code !== 0) throw new ScriptError(`zael serve exited with ${code}: ${printed}`)
    },
  }
}

/** The pages of the server, and a part of each. */
const PAGES: readonly (readonly [path: string, part: string])[] = [
  ['/dashboard', '<div id="page">'],
  ['/docs', 'swagger-ui'],
  ['/docs/swagger-ui-bundle.js', 'SwaggerUIBundle'],
  ['/redoc/redoc.standalone.js', 'redoc'],
  ['/openapi.json', `"version":"${packageJson.version}"`],
]

const expectPart = (what: string, text: string, part: string): void => {
  if (!text.includes(part)) throw new ScriptError(`${what} does not contain ${part}: ${text.slice(0, 500)}`)
}

const checkPages = async (url: string): Promise<void> => {
  for (const [path, part] of PAGES) {
    const response = await fetch(`${url}${path}`)
    expectPart(path, await response.text(), part)
  }
}

/** A chat is counted with the table of tokens, which the bundle shares with that of the Lambda. */
const checkChat = async (url: string): Promise<void> => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer key-bob', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] }),
  })
  expectPart('a chat', await response.text(), '"total_tokens":13')
}

/** Runs the program in a project that has no other package than this one. */
export const checkCommandLine = async (consumer: Consumer): Promise<void> => {
  const { directory } = consumer
  await linkProgram(consumer)
  const zael = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('npx', ['--no', '--', 'zael', ...args], { cwd: directory })
    return stdout
  }
  expectPart('zael --version', await zael('--version'), packageJson.version)
  const server = await serve(consumer, {})
  expectPart('zael whoami', await zael('whoami', '--url', server.url), 'admin')
  expectPart('zael entities list', await zael('entities', 'list', '--url', server.url), 'key-bob')
  await checkPages(server.url)
  await checkChat(server.url)
  await server.end()
  console.log('npx zael: version, serve, whoami, entities')
}

/** The server keeps its data in a directory once the package that can do so is installed. */
export const checkDataDirectory = async (consumer: Consumer): Promise<void> => {
  await consumer.provide('classic-level')
  const server = await serve(consumer, { DATA_DIR: join(consumer.directory, 'data') })
  await server.end()
  console.log('zael serve: keeps its data with classic-level')
}
