import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb'
import { parseLimits } from '../../src/contract/limits.ts'
import type { DecisionRequest } from '../../src/core/decide/decision.ts'
import { systemClock } from '../../src/platform/runtime.ts'
import { entityItem } from '../../src/store/dynamodb/admin/entities.ts'
import { limitSetItem } from '../../src/store/dynamodb/admin/limit-sets.ts'
import type { StoredItem } from '../../src/store/dynamodb/attributes.ts'
import type { AppliedWrite } from '../count-calls.ts'
import { type BenchTable, oldEntity } from '../table.ts'
import { type Contender, expectDecision, forEachAtOnce } from './contender.ts'
import { allNames, namesOf, type ScenarioName } from './scenario.ts'

/** Large enough that no decision is denied, and slow enough that the bucket is never full again. */
const LARGE = [{ name: 'rpm', capacity: 1_000_000_000, refill_rate: 1 }]
const SPENT = [{ name: 'rpd', capacity: 1, refill_rate: 1 / 86_400 }]
/** Charged in advance, so that the bucket stays busy for the whole run. */
const BUSY = 1000
const BATCH = 25

/** zael as a server runs it, with leases of `leaseTtlMs`; 0: every decision is made on the table. */
export const zaelContender = async (
  table: BenchTable,
  id: 'exact' | 'leased',
  leaseTtlMs: number,
): Promise<Contender> => {
  const writes: AppliedWrite[] = []
  const onWrite = (write: AppliedWrite): void => void writes.push(write)
  const { limiter, calls, close } = await table.join(systemClock, { settings: { leaseTtlMs }, onWrite })
  const decide = async (name: string, requests: number): Promise<boolean> => {
    const request: DecisionRequest = { entityId: `${id}-${name}`, cost: { requests }, settles: false }
    return (await limiter.decide(request)).allowed
  }
  return {
    id,
    title: leaseTtlMs === 0 ? 'zael, exact' : 'zael, leased',
    calls,
    takesPart: () => true,
    async prepare(scenario, keys) {
      const names = allNames(scenario, keys)
      await putEntities(table, id, scenario, names)
      const requests = scenario === 'denied' ? 1 : BUSY
      await forEachAtOnce(names, (name) => decide(name, requests))
    },
    async decide(scenario, key) {
      const [own = ''] = namesOf(scenario, key)
      expectDecision(scenario, await decide(own, 1))
    },
    flush: (all) => limiter.flush({ all }),
    takeWrites: () => writes.splice(0),
    close: async () => close(),
  }
}

const putEntities = async (
  { client, tableName }: BenchTable,
  contender: string,
  scenario: ScenarioName,
  names: readonly string[],
): Promise<void> => {
  const items = names.flatMap((name) => itemsOf(contender, scenario, name))
  const batches = Array.from({ length: Math.ceil(items.length / BATCH) }, (_, at) =>
    items.slice(at * BATCH, (at + 1) * BATCH),
  )
  await forEachAtOnce(batches, (batch) => {
    const puts = batch.map((Item) => ({ PutRequest: { Item } }))
    return client.run((sdk) => sdk.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: puts } })))
  })
}

const itemsOf = (contender: string, scenario: ScenarioName, name: string): readonly StoredItem[] => {
  const id = `${contender}-${name}`
  const isChild = scenario === 'cascade' && name !== 'parent'
  const parentId = isChild ? `${contender}-parent` : null
  const limits = parseLimits(scenario === 'denied' ? SPENT : LARGE, 'limits')
  return [
    entityItem(oldEntity(id, parentId)),
    limitSetItem(
      { owner: { kind: 'entity', id }, resource: '_default_' },
      { limits, version: systemClock.now() },
    ),
  ]
}
