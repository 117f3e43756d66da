import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The environment of a Lambda of the stack; nothing is called. */
const ENVIRONMENT = {
  NODE_OPTIONS: '--enable-source-maps',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_LAMBDA_FUNCTION_NAME: 'measured',
  TABLE_NAME: 'ZAEL-measured',
  ADMIN_TOKEN_SECRET_ARN: 'admin',
  VIEWER_TOKEN_SECRET_ARN: 'viewer',
  RESPONSE_STREAMING: 'false',
}

/** Milliseconds from the first line of a new Node process until the handler of the bundle in `directory` is loaded. */
export const lambdaStartMs = async (directory: string): Promise<number> => {
  const entry = join(directory, 'index.mjs')
  const program = `const start = performance.now()
const { handler } = await import(${JSON.stringify(pathToFileURL(entry).href)})
if (typeof handler !== 'function') throw new Error('the bundle has no handler')
process.stdout.write(String(performance.now() - start), () => process.exit())`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    env: ENVIRONMENT,
  })
  return Number(stdout)
}
