import { dynamoDbStore } from '../../src/library/dynamodb.ts'
import { type ChildServer, startServer } from '../child-server.ts'
import { openEngine } from '../engine.ts'
import { type LoadLength, type LoadTurn, loadServer, medianTurn } from '../load.ts'
import { median } from '../measure.ts'
import { createFlexibleTable } from '../stores/flexible-contender.ts'
import { CREDENTIALS } from '../table.ts'
import { APPS, type App, FLEXIBLE_TABLE_NAME, TABLE_NAME, WRITES, waitsForTable } from './apps.ts'

export interface AppRow extends LoadTurn {
  readonly app: App
  /** The least processor time per request of a turn: other processes of the machine only add to it. */
  readonly leastCpuMicros: number
  /** To the table, per request; 0 without a table. */
  readonly writes: number
}

export interface AppOptions {
  readonly connections: number
  /** Per turn. */
  readonly seconds: number
  readonly rounds: number
  /** A number and not a time, so that every app is compiled to the same degree on a busy machine. */
  readonly warmUpRequests: number
  /** Of an app whose requests wait for the table, which serves few of them. */
  readonly warmUpSeconds: number
  /** Undefined: an engine in a thread of this process. */
  readonly engineUrl: string | undefined
}

/** Measures every app in its own process, in alternating turns. */
export const measureApps = async (
  { engineUrl, ...options }: AppOptions,
  onProgress: (text: string) => void,
): Promise<readonly AppRow[]> => {
  const engine = await openEngine(engineUrl)
  const servers: ChildServer[] = []
  try {
    const connection = { region: 'us-east-1', endpoint: engine.endpoint, credentials: CREDENTIALS }
    await dynamoDbStore({ tableName: TABLE_NAME, ...connection }).createTable()
    await createFlexibleTable(engine.endpoint, FLEXIBLE_TABLE_NAME)
    for (const { name } of APPS) {
      const environment = { BENCH_APP: name, BENCH_TABLE_URL: engine.endpoint }
      servers.push(await startServer({ script: 'bench/app/app-server.ts', environment }))
    }
    return await takeTurns(servers, options, onProgress)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
    await engine.stop()
  }
}

/** Not measured: a key that was idle during the other turns has no lease, and its first requests are decided on the table. */
const LEAD: LoadLength = { seconds: 1 }

const takeTurns = async (
  servers: readonly ChildServer[],
  options: Omit<AppOptions, 'engineUrl'>,
  onProgress: (text: string) => void,
): Promise<readonly AppRow[]> => {
  const { connections, seconds, rounds } = options
  const turn = (server: ChildServer, length: LoadLength): Promise<LoadTurn> =>
    loadServer(server, { path: '/' }, connections, length)
  for (const [at, server] of servers.entries()) await turn(server, warmUpOf(APPS[at], options))
  const turns = servers.map((): AppTurn[] => [])
  for (let round = 0; round < rounds; round++) {
    onProgress(`round ${round + 1} of ${rounds}`)
    for (const [at, server] of servers.entries()) {
      await turn(server, LEAD)
      const before = await writesOf(server)
      const taken = await turn(server, { seconds })
      const writes = ((await writesOf(server)) - before) / (taken.perSecond * seconds)
      turns[at]?.push({ ...taken, writes })
    }
  }
  return APPS.map((app, at) => rowOf(app, turns[at] ?? []))
}

interface AppTurn extends LoadTurn {
  readonly writes: number
}

const warmUpOf = (app: App | undefined, options: Omit<AppOptions, 'engineUrl'>): LoadLength =>
  app !== undefined && waitsForTable(app)
    ? { seconds: options.warmUpSeconds }
    : { requests: options.warmUpRequests }

const writesOf = async (server: ChildServer): Promise<number> => Number(await server.request(WRITES))

const rowOf = (app: App, turns: readonly AppTurn[]): AppRow => ({
  app,
  ...medianTurn(turns),
  leastCpuMicros: Math.min(...turns.map(({ cpuMicros }) => cpuMicros)),
  writes: median(turns.map(({ writes }) => writes)),
})
