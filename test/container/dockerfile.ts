import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, stat, symlink } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The base images of the Dockerfile: the entry point of each, as its publisher states it. Their Node is that of the test. */
const ENTRY_POINTS: Readonly<Record<string, readonly string[]>> = {
  'node:24-slim': ['docker-entrypoint.sh'],
  'gcr.io/distroless/nodejs24-debian13': ['/nodejs/bin/node'],
}

interface Instruction {
  readonly name: string
  readonly text: string
}

const instructionsIn = (dockerfile: string): readonly Instruction[] =>
  dockerfile
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      if (line.endsWith('\\')) throw new Error(`continued lines are not supported here: ${line}`)
      const [name = '', ...rest] = line.split(' ')
      return { name, text: rest.join(' ') }
    })

/** A stage: the directory that its root is, and what its instructions set. */
interface Stage {
  readonly alias: string | undefined
  readonly root: string
  readonly entryPoint: readonly string[]
  workdir: string
  readonly environment: Record<string, string>
  user: string | undefined
  port: string | undefined
  stopSignal: string | undefined
  healthCheck: readonly string[]
  command: readonly string[]
}

export type Image = Readonly<Omit<Stage, 'alias'>> & {
  /** The file or directory in the image at a path. */
  readonly pathOf: (path: string) => string
}

/** The exec form: a shell between the platform and the program would keep signals from it, and the image has none. */
const execForm = (text: string): readonly string[] => {
  const words: unknown = JSON.parse(text)
  if (!Array.isArray(words)) throw new Error(`${text} is not in exec form`)
  return words.map(String)
}

/**
 * Executes the steps of the Dockerfile below `directory`, as a builder does: each stage in an empty root of its own, files only from
 * the build context and earlier stages. `npm ci` is replaced by the packages that are installed here.
 */
export const buildImage = async (directory: string): Promise<Image> => {
  const stages: Stage[] = []
  for (const { name, text } of instructionsIn(await readFile(join(ROOT, 'Dockerfile'), 'utf8'))) {
    if (name === 'FROM') stages.push(await startStage(text, join(directory, `stage-${stages.length}`)))
    else await execute({ name, text }, stages)
  }
  const last = stages.at(-1)
  if (last === undefined) throw new Error('the Dockerfile has no stage')
  return { ...last, pathOf: (path) => join(last.root, path) }
}

const startStage = async (text: string, root: string): Promise<Stage> => {
  const [image = '', , alias] = text.split(' ')
  const entryPoint = ENTRY_POINTS[image]
  if (entryPoint === undefined) throw new Error(`the entry point of ${image} is not known here`)
  await mkdir(root, { recursive: true })
  return {
    alias,
    root,
    entryPoint,
    workdir: '/',
    environment: {},
    user: undefined,
    port: undefined,
    stopSignal: undefined,
    healthCheck: [],
    command: [],
  }
}

const execute = async ({ name, text }: Instruction, stages: readonly Stage[]): Promise<void> => {
  const stage = stages.at(-1)
  if (stage === undefined) throw new Error(`${name} comes before FROM`)
  if (name === 'COPY') await copy(text, stage, stages)
  else if (name === 'RUN') await run(text, stage)
  else if (name === 'WORKDIR') {
    stage.workdir = posix.resolve(stage.workdir, text)
    await mkdir(join(stage.root, stage.workdir), { recursive: true })
  } else set({ name, text }, stage)
}

const set = ({ name, text }: Instruction, stage: Stage): void => {
  if (name === 'ENV') {
    for (const pair of text.split(' ')) {
      const [variable = '', value = ''] = pair.split('=')
      stage.environment[variable] = value
    }
  } else if (name === 'USER') stage.user = text
  else if (name === 'EXPOSE') stage.port = text
  else if (name === 'STOPSIGNAL') stage.stopSignal = text
  else if (name === 'HEALTHCHECK') stage.healthCheck = execForm(text.slice(text.indexOf('CMD ') + 4))
  else if (name === 'CMD') stage.command = execForm(text)
  else throw new Error(`${name} is not supported here`)
}

const run = async (text: string, stage: Stage): Promise<void> => {
  const cwd = join(stage.root, stage.workdir)
  if (text === 'npm ci --ignore-scripts') {
    await readFile(join(cwd, 'package-lock.json'))
    await symlink(join(ROOT, 'node_modules'), join(cwd, 'node_modules'))
    return
  }
  const env = { PATH: process.env.PATH, HOME: stage.root, ...stage.environment }
  await promisify(execFile)('sh', ['-c', text], { cwd, env })
}

/** A directory's contents are copied, a file itself, into a directory if the target ends with a slash. */
const copy = async (text: string, stage: Stage, stages: readonly Stage[]): Promise<void> => {
  const words = text.split(' ')
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  const target = words.pop() ?? ''
  const to = join(stage.root, posix.resolve(stage.workdir, target))
  for (const source of words) {
    const path = from === undefined ? await inContext(source) : join(stageCalled(from, stages).root, source)
    const isFile = (await stat(path)).isFile()
    await cp(path, isFile && target.endsWith('/') ? join(to, basename(source)) : to, { recursive: true })
  }
}

const stageCalled = (name: string, stages: readonly Stage[]): Stage => {
  const stage = stages.find(({ alias }) => alias === name)
  if (stage === undefined) throw new Error(`no stage is called ${name}`)
  return stage
}

/** The path of a source in the build context. Throws if `.dockerignore`, which lists what belongs to it, does not. */
const inContext = async (source: string): Promise<string> => {
  const [all, ...included] = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (all !== '*' || !included.includes(`!${source}`)) throw new Error(`.dockerignore excludes ${source}`)
  return join(ROOT, source)
}
