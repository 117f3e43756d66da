import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import packageJson from '../package.json' with { type: 'json' }
import { runCommandLine } from '../src/command-line/command-line.ts'
import { checkCommandLine, checkDataDirectory } from './package-check/command-line.ts'
import {
  type Consumer,
  checkComments,
  checkFiles,
  installInto,
  pack,
  synthesizeExamples,
  type Weighed,
  weigh,
} from './package-check/consumer.ts'
import { runCommand } from './run-command.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')
const PROGRAMS = fileURLToPath(new URL('package-check/programs', import.meta.url))

/** The dependencies of `zael` alone. The SDK is not installed yet, so that the first program cannot load it. */
const RUNTIME = Object.keys(packageJson.dependencies).filter((name) => name !== '@aws-sdk/client-dynamodb')

/**
 * Six KB of either are names of options, and messages about unknown or invalid ones; 16 KB are the schema that limits
 * are validated against, half of them valibot; 12 KB charge buckets in memory in place (docs/decisions, 059); 33 KB are croner,
 * which parses the schedules of limits.
 */
const WEIGHED: readonly Weighed[] = [
  {
    name: 'limiter-in-memory',
    code: "import { createRateLimiter, memoryStore } from 'zael'\nconsole.log(createRateLimiter, memoryStore)\n",
    atMostKb: 230,
    without: /aws-sdk|hono|express|dist\/src\/(http|library\/middleware|store\/dynamodb)\//,
  },
  {
    name: 'hono-middleware',
    code: "import { rateLimit } from 'zael/hono'\nconsole.log(rateLimit)\n",
    atMostKb: 255,
    without: /aws-sdk|node_modules\/hono|express|dist\/src\/store\/dynamodb\//,
  },
  {
    name: 'lambda-handler',
    code: "import { withRateLimit } from 'zael/lambda'\nconsole.log(withRateLimit)\n",
    atMostKb: 270,
    without: /aws-sdk|hono|express|dist\/src\/store\/dynamodb\//,
  },
]

/** Programs that a project with these packages can run, in this order: each also has the packages of the previous ones. */
const STEPS: readonly (readonly [program: string, needs: readonly string[]])[] = [
  ['memory-limiter.mjs', RUNTIME],
  ['other-runtime.mjs', []],
  ['required.cjs', []],
  ['limiter-types.ts', []],
  ['lambda-handler.mjs', []],
  ['hono-app.mjs', ['hono']],
  ['hono-types.ts', []],
  ['express-app.mjs', ['express']],
  ['mcp-server.mjs', ['@modelcontextprotocol/sdk', 'zod']],
  ['mcp-types.ts', []],
  ['dynamo-db-store.mjs', ['@aws-sdk/client-dynamodb']],
  // the types of the SDK, which settleFromContext takes options of, need those of Node
  ['lambda-types.ts', ['@types/node']],
]

const LONGEST_RUN_S = 60

const runPrograms = async (consumer: Consumer): Promise<void> => {
  const { directory } = consumer
  for (const [program, needs] of STEPS) {
    for (const name of needs) await consumer.provide(name)
    await copyFile(join(PROGRAMS, program), join(directory, program))
    if (program.endsWith('.ts')) await checkTypes(directory, program, needs)
    // `timeout` ends a program that does not exit by itself, with code 124.
    else await runCommand('timeout', [String(LONGEST_RUN_S), process.execPath, program], { cwd: directory })
    console.log(`${program}: passed`)
  }
}

/** Type-checks as a strict project does, including the package's own types. */
const checkTypes = async (directory: string, program: string, needs: readonly string[]): Promise<void> => {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'es2023',
    types: needs.includes('@types/node') ? ['node'] : [],
    noEmit: true,
  }
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [program] }))
  await runCommand(join(ROOT, 'node_modules/.bin/tsc'), ['-p', directory])
}

const check = async (directory: string): Promise<void> => {
  const tarball = await pack(ROOT, directory)
  const tool = (name: string): string => join(ROOT, 'node_modules/.bin', name)
  await runCommand(tool('publint'), ['run', tarball, '--strict'])
  await runCommand(tool('attw'), [tarball, '--profile', 'esm-only', '--no-definitely-typed'])
  const project = join(directory, 'project')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{ "type": "module" }\n')
  const consumer = await installInto(ROOT, tarball, project)
  await checkFiles(ROOT, consumer)
  await checkComments(consumer)
  await checkCommandLine(consumer)
  await runPrograms(consumer)
  await checkDataDirectory(consumer)
  for (const weighed of WEIGHED) await weigh(consumer, weighed)
  await synthesizeExamples(ROOT, consumer)
}

const HELP = `npm run check:package

Packs the package as it would be published, and uses it as someone who has installed it: types, imports, sizes, programs.`

await runCommandLine({ command: 'npm run check:package', help: HELP, options: {} }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zael-package-'))
  try {
    await check(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
