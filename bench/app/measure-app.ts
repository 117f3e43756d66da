import { dynamoDbStore } from '../../src/library/dynamodb.ts'
import { type ChildServer, startServer } from '../child-server.ts'
import { openEngine } from '../engine.ts'
import { type LoadLength, type LoadTurn, loadServer, medianTurn } from '../load.ts'
import { CREDENTIALS } from '../table.ts'
import { APPS, type App, TABLE_NAME } from './apps.ts'

export interface AppRow extends LoadTurn {
  readonly app: App
  /** The least processor time per request of a turn: other processes of the machine only add to it. */
  readonly leastCpuMicros: number
}

export interface AppOptions {
  readonly connections: number
  /** Per turn. */
  readonly seconds: number
  readonly rounds: number
  /** A number and not a time, so that every app is compiled to the same degree on a busy machine. */
  readonly warmUpRequests: number
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
  { connections, seconds, rounds, warmUpRequests }: Omit<AppOptions, 'engineUrl'>,
  onProgress: (text: string) => void,
): Promise<readonly AppRow[]> => {
  const turn = (server: ChildServer, length: LoadLength): Promise<LoadTurn> =>
    loadServer(server, { path: '/' }, connections, length)
  for (const server of servers) await turn(server, { requests: warmUpRequests })
  const turns = servers.map((): LoadTurn[] => [])
  for (let round = 0; round < rounds; round++) {
    onProgress(`round ${round + 1} of ${rounds}`)
    for (const [at, server] of servers.entries()) {
      await turn(server, LEAD)
      turns[at]?.push(await turn(server, { seconds }))
    }
  }
  return APPS.map((app, at) => rowOf(app, turns[at] ?? []))
}

const rowOf = (app: App, turns: readonly LoadTurn[]): AppRow => ({
  app,
  ...medianTurn(turns),
  leastCpuMicros: Math.min(...turns.map(({ cpuMicros }) => cpuMicros)),
})
