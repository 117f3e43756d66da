import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The environment of a Lambda of the stack; nothing is called. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_LAMBDA_FUNCTION_NAME: 'measured',
  TABLE_NAME: 'ZAEL-measured',
  ADMIN_TOKEN_SECRET_ARN: 'admin',
  VIEWER_TOKEN_SECRET_ARN: 'viewer',
  RESPONSE_STREAMING: 'false',
}

/** From the first line of a new Node process until the handler is loaded. */
export interface LambdaStart {
  readonly readyMs: number
  /** Processor time of all threads: steadier than `readyMs` on a busy machine. */
  readonly cpuMs: number
}

/** Loads the bundle in `directory` in a new process. */
export const startLambda = async (directory: string): Promise<LambdaStart> => {
  const entry = join(directory, 'index.mjs')
  const program = `const start = performance.now()
const cpu = process.cpuUsage()
const { handler } = await import(${JSON.stringify(pathToFileURL(entry).href)})
if (typeof handler !== 'function') throw new Error('the bundle has no handler')
const readyMs = performance.now() - start
const { user, system } = process.cpuUsage(cpu)
process.stdout.write(JSON.stringify({ readyMs, cpuMs: (user + system) / 1000 }), () => process.exit())`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    env: ENVIRONMENT,
  })
  const { readyMs, cpuMs }: LambdaStart = JSON.parse(stdout)
  return { readyMs, cpuMs }
}
